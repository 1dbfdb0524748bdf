// SPDX-License-Identifier: Apache-2.0

package import StowageCompression
internal import StowageDiff
package import StowageModel

/// Files of containers and images as archives. Nothing is locked and nothing counted as mounted while they are read; where a driver
/// must mount to show a tree, that ends with this process.
extension ContainerOperations {
  /// Writes what a container has changed, as the archive of a layer over the image's top layer.
  ///
  /// - Parameter sink: not finished; after a failure part of the archive is written.
  /// - Throws: `layerUnknown`; `invalidMappings` for an owner that the ID maps do not have; `invalidArchive` if a file becomes shorter
  ///   while it is read; `cancelled`; `system`.
  package func writeChanges(
    of container: ContainerRecord, _ cancellation: CancellationFlag, to sink: any ByteSink
  ) throws(StorageError) {
    let difference = try store.layers.difference(of: container.layer)
    defer { difference.end() }
    try difference.write(.omitted, readsContent: true, cancellation, to: sink)
  }
}

extension LayerOperations {
  /// What a layer has that its parent has not, found under the layers lock.
  ///
  /// - Throws: `layerUnknown`; `notSupported` if a composefs layer is among the two or below them.
  func difference(of layer: LayerID) throws(StorageError) -> LayerDifference {
    try store.read([.layers]) { (access) throws(StorageError) in
      let layers = access.layers
      return try LayerComparison(of: layer.rawValue, from: nil, layers, store).difference(layers)
    }
  }

  /// Writes all files that a layer shows: owners as inside of its ID maps, deletions done.
  ///
  /// - Parameters:
  ///   - isLayer: whether it is to be the archive of a layer: names that would delete something are left out then, with a warning, and
  ///     holes are written as zeros, as other programs do. Else files with holes are sparse ones in the form PAX 1.0.
  ///   - sink: not finished.
  /// - Throws: as ``ContainerOperations/writeChanges(of:_:to:)``.
  package func writeTree(
    of layer: LayerID, isLayer: Bool, _ cancellation: CancellationFlag, to sink: any ByteSink
  ) throws(StorageError) {
    let tree = try store.read([.layers]) { (access) throws(StorageError) in
      let layers = access.layers
      return try LayerComparison(of: layer.rawValue, from: nil, layers, store).tree(layers)
    }
    defer { tree.end() }
    try tree.write(isLayer ? .omitted : .kept, keepsHoles: !isLayer, cancellation, to: sink)
  }
}
