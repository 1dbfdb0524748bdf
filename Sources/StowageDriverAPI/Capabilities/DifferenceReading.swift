// SPDX-License-Identifier: Apache-2.0

package import StowageDiff
package import StowageModel
package import SystemPackage

/// A driver that knows differences between layers without comparing trees.
package protocol DifferenceReading: GraphDriver {
  /// Where the difference between `layer` and the layer `from` can be read; `nil` stands for no layer (the whole
  /// content of a base layer).
  func diffSource(of layer: LayerLocation, over parents: [LayerLocation], from: LayerID?) -> DiffSource

  /// The size in bytes of the difference to `from` if the driver can tell without presenting trees, else `nil`.
  func diffSize(of layer: LayerLocation, over parents: [LayerLocation], from: LayerID?) throws(StorageError) -> Int64?

  /// The layer's own directory, if the layer shows just that over what its direct parent shows (`nil` for a base layer); found
  /// without following the chain.
  func ownContent(of layer: LayerLocation, over parent: LayerLocation?) throws(StorageError) -> OwnContent?
}

/// The directory with what a layer adds to its parent, with overlay whiteouts.
package struct OwnContent: Hashable, Sendable {
  /// The directory.
  package let tree: FilePath
  /// The name space of the kernel's marks in it.
  package let attributes: OverlayAttributes

  /// A directory with the kernel's marks.
  package init(tree: FilePath, attributes: OverlayAttributes) {
    self.tree = tree
    self.attributes = attributes
  }
}

extension GraphDriver {
  /// The driver as one that knows differences; `nil` if trees must be presented and compared (``DiffSource/trees``).
  package var differenceReading: (any DifferenceReading)? { self as? any DifferenceReading }
}
