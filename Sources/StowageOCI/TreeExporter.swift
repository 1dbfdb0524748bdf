// SPDX-License-Identifier: Apache-2.0

import StowageCompression
public import StowageModel
public import StowageStore
import StowageSystem

/// Writes all files of a container or an image as one tar archive.
///
/// Deletions are done, owners are those that the container sees, hard links and extended attributes are kept, files with holes are
/// sparse ones (PAX 1.0, which GNU tar and bsdtar read). What a container writes meanwhile may be in the archive or not.
public struct TreeExporter: Sendable {
  private let store: Store

  /// Exports from `store`.
  public init(_ store: Store) { self.store = store }

  /// Writes the files of a layer, of which those below are a part: the top layer of an image, or a container's own.
  ///
  /// - Parameters:
  ///   - target: a file, which is there when it is complete, or a descriptor.
  ///   - isCancelled: asked again and again.
  /// - Throws: `layerUnknown`; `usage` if something is in the way of the target; `invalidMappings` for an owner that the ID maps do not
  ///   have; `invalidArchive` if a file becomes shorter while it is read; `system`; `cancelled`.
  public func export(
    _ layer: LayerID, to target: ImageTarget, isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws(StorageError) {
    let cancellation = CancellationFlag(asking: isCancelled)
    switch target.place {
    case .descriptor(let descriptor, let name):
      try write(layer, OutputSink(descriptor, name: name, cancellation))
    case .closure(let take): try write(layer, OutputSink(name: target.description, cancellation, take: take))
    case .path(let path):
      let file = try OutputFile(path, mayReplace: true, cancellation)
      try write(layer, OutputSink(file.descriptor.rawValue, name: path, cancellation))
      try file.commit()
    }
  }

  private func write(_ layer: LayerID, _ sink: OutputSink) throws(StorageError) {
    try store.layers.writeTree(of: layer, isLayer: false, sink.cancellation, to: sink)
    do throws(ArchiveError) { try sink.finish() } catch { throw error.ofSave }
  }
}

extension ContainerOperations {
  /// Writes all files of a container as one tar archive; see ``TreeExporter``.
  ///
  /// - Throws: `containerUnknown`; as ``TreeExporter/export(_:to:isCancelled:)``.
  public func export(
    _ nameOrID: String, to target: ImageTarget, isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws(StorageError) {
    try TreeExporter(owner).export(try find(nameOrID).layer, to: target, isCancelled: isCancelled)
  }
}

extension ImageOperations {
  /// Writes all files of an image as one tar archive; see ``TreeExporter``.
  ///
  /// - Throws: `imageUnknown`; `layerUnknown` also for an image without layers; as ``TreeExporter/export(_:to:isCancelled:)``.
  public func export(
    _ nameOrID: String, to target: ImageTarget, isCancelled: @escaping @Sendable () -> Bool = { false }
  ) throws(StorageError) {
    let image = try find(nameOrID).record
    guard let layer = image.layer else {
      throw StorageError(.layerUnknown, "image \(image.id) has no layers, and so no files", subject: image.id.rawValue)
    }
    try TreeExporter(owner).export(layer, to: target, isCancelled: isCancelled)
  }
}
