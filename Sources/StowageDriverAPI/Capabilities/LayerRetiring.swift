// SPDX-License-Identifier: Apache-2.0

package import StowageModel

/// A driver that can rename a layer's tree while mounts use it.
package protocol LayerRetiring: GraphDriver {
  /// Gives the tree of a layer another name, while mounts that use it go on. Needs layers exclusively. What older programs
  /// refer to by a short name leads to the renamed tree.
  ///
  /// - Throws: `readOnlyStore`, `system`; a missing layer is success.
  func retire(_ layer: LayerLocation, as id: LayerID) throws(StorageError)
}

extension GraphDriver {
  /// The driver as one that renames layers in use; `nil` if mounts do not hold on to layers.
  package var layerRetiring: (any LayerRetiring)? { self as? any LayerRetiring }
}
