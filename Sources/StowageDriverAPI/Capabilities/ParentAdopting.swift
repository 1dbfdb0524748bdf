// SPDX-License-Identifier: Apache-2.0

package import StowageModel
package import SystemPackage

/// A driver whose layers hold the difference only, so that directories which an archive does not mention have to be given what
/// lower layers know of them.
package protocol ParentAdopting: GraphDriver {
  /// Gives directories owner, mode and attributes of those that the parents show. Needs layers until it returns, and must come
  /// before the layer is complete.
  ///
  /// - Parameters:
  ///   - directories: as ``ApplyResult/impliedDirectories``.
  ///   - tree: the layer's own directory, staged or in place.
  ///   - older: the parents' content with other owners, if the layer has such.
  func adopt(
    _ directories: [[UInt8]], in tree: FilePath, over parents: [LayerLocation], older: FilePath?
  ) throws(StorageError)
}

extension GraphDriver {
  /// The driver as one that has to; `nil` if its layers begin as copies.
  package var parentAdopting: (any ParentAdopting)? { self as? any ParentAdopting }
}
