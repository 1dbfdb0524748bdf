// SPDX-License-Identifier: Apache-2.0

import StowageCompression
import StowageImage
public import StowageModel
public import StowageStore
import StowageSystem
import SystemPackage

/// Writes images of a store to archives and directories.
///
/// ```swift
/// try ImageSaver(store).save(["quay.io/team/alpine:3"], to: .path("alpine.tar"))
/// ```
///
/// A docker-archive has the bytes that Podman writes; the other formats have the manifests, and are the same whenever the same
/// image is saved (registries 7.1 and 7.5 to 7.7).
public struct ImageSaver: Sendable {
  private let store: Store

  /// Makes a saver that takes images from `store`.
  public init(_ store: Store) {
    self.store = store
  }

  /// Saves images.
  ///
  /// Each layer is put together from its tree, and verified, while it is written; no lock of the store is held meanwhile. A file
  /// or directory appears when it is complete: after a failure, also of the process, what was there before is there still.
  ///
  /// - Parameters:
  ///   - images: Names or identifiers, also short ones. An image that is named several times is saved once, with these names.
  ///   - target: A file, a directory for formats that are directories, or a descriptor.
  ///   - progress: Told about each layer.
  /// - Returns: The images in the order in which they were asked for.
  /// - Throws: `imageUnknown`, `ambiguous`; `usage` for what a format cannot hold, and if something is in the way of the target;
  ///   `notSupported` for lists of manifests, artifacts, and layers whose archive cannot be made again; `digestMismatch` and
  ///   `corrupt` for damage; `layerUnknown` for a layer that is deleted meanwhile; `system`; `cancelled`.
  @discardableResult
  public func save(
    _ images: [String], to target: ImageTarget, as format: SaveFormat = .dockerArchive,
    options: SaveOptions = SaveOptions(), progress: SaveProgress = .silent
  ) throws(StorageError) -> [SavedImage] {
    do throws(StorageError) {
      try check(format, options)
      let plans = try plans(images, format, options)
      let layers = LayerProgress(progress)
      switch (target.place, format.isDirectory) {
      case (.descriptor, true), (.closure, true):
        throw StorageError(.usage, "a \(format.name) is a directory: it cannot go to \(target)")
      case (.path(let path), true): return try save(plans, toDirectory: path, format, options, layers)
      case (.descriptor(let descriptor, let name), false):
        let sink = OutputSink(descriptor, name: name, layers.cancellation)
        return try write(plans, sink, canPatch: false, format, options, layers)
      case (.closure(let take), false):
        let sink = OutputSink(name: target.description, layers.cancellation, take: take)
        return try write(plans, sink, canPatch: false, format, options, layers)
      case (.path(let path), false):
        let file = try OutputFile(path, mayReplace: format != .dockerArchive, layers.cancellation)
        let sink = OutputSink(file.descriptor.rawValue, name: path, layers.cancellation)
        let saved = try write(plans, sink, canPatch: file.isOwn, format, options, layers)
        try layers.cancellation.check()
        try file.commit()
        return saved
      }
    } catch {
      throw error.wrapped("saving \(images.joined(separator: ", "))")
    }
  }

  private func check(_ format: SaveFormat, _ options: SaveOptions) throws(StorageError) {
    switch (format, options.compression) {
    case (.dockerArchive, .gzip), (.dockerArchive, .zstd):
      throw StorageError(
        .usage, "layers of a docker-archive are not compressed: compress the whole archive, or choose oci-archive")
    case (.dockerDirectory, .zstd):
      throw StorageError(.usage, "layers of a docker-dir cannot be compressed with zstd: choose gzip or none")
    case (_, .zstd(let level)) where !(1...19).contains(level):
      throw StorageError(.usage, "no zstd level \(level): choose one from 1 to 19")
    default: break
    }
  }

  private func plans(
    _ texts: [String], _ format: SaveFormat, _ options: SaveOptions
  ) throws(StorageError) -> [SavePlan] {
    let images = try store.imagesToSave(texts)
    guard !images.isEmpty else { throw StorageError(.usage, "no image is named") }
    if format.isFlat, images.count > 1 {
      throw StorageError(
        .usage, "a \(format.name) has one image, not \(images.count): choose docker-archive, oci-archive or oci-dir")
    }
    if options.names != nil, images.count > 1 {
      throw StorageError(.usage, "a name for \(images.count) images: save them one by one, or tag them before")
    }
    var plans: [SavePlan] = []
    for image in images {
      do throws(StorageError) {
        plans.append(try SavePlan(image.id, names: options.names ?? image.names, in: store))
      } catch {
        throw images.count > 1 ? error.wrapped("image \(image.names.first ?? image.id.rawValue)") : error
      }
    }
    return plans
  }

  private func save(
    _ plans: [SavePlan], toDirectory path: String, _ format: SaveFormat, _ options: SaveOptions,
    _ progress: LayerProgress
  ) throws(StorageError) -> [SavedImage] {
    let directory = try OutputDirectory(path)
    if !format.isFlat {
      for name in ["blobs", "blobs/sha256"] { try OutputDirectory.make(directory.path.appending(name)) }
    }
    var writer = LayoutWriter(
      DirectoryBlobs(directory.path, progress.cancellation), format, options.compression, progress)
    var saved: [SavedImage] = []
    for (index, plan) in plans.enumerated() {
      saved.append(SavedImage(id: plan.id, names: plan.names, digest: try writer.add(plan, position: index)))
    }
    try writer.finish()
    try progress.cancellation.check()
    try directory.commit()
    return saved
  }

  private func write(
    _ plans: [SavePlan], _ sink: OutputSink, canPatch: Bool, _ format: SaveFormat, _ options: SaveOptions,
    _ progress: LayerProgress
  ) throws(StorageError) -> [SavedImage] {
    var saved: [SavedImage] = []
    if format == .dockerArchive {
      var writer = DockerArchiveWriter(sink, progress)
      for (index, plan) in plans.enumerated() {
        try writer.add(plan, position: index)
        saved.append(SavedImage(id: plan.id, names: plan.names, digest: nil))
      }
      try writer.finish()
      return saved
    }
    let tar = TarBlobs(sink, canPatch: canPatch)
    for name in ["blobs/", "blobs/sha256/"] { try tar.addDirectory(name) }
    var writer = LayoutWriter(tar, format, options.compression, progress)
    for (index, plan) in plans.enumerated() {
      saved.append(SavedImage(id: plan.id, names: plan.names, digest: try writer.add(plan, position: index)))
    }
    try writer.finish()
    try tar.finish()
    return saved
  }
}
