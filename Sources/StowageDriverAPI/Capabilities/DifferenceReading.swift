// SPDX-License-Identifier: Apache-2.0

package import StowageModel

/// A driver that knows differences between layers without comparing trees.
package protocol DifferenceReading: GraphDriver {
  /// Where the difference between `layer` and the layer `from` can be read; `nil` stands for no layer (the whole
  /// content of a base layer).
  func diffSource(of layer: LayerLocation, over parents: [LayerLocation], from: LayerID?) -> DiffSource

  /// The size in bytes of the difference to `from` if the driver can tell without presenting trees, else `nil`.
  func diffSize(of layer: LayerLocation, over parents: [LayerLocation], from: LayerID?) throws(StorageError) -> Int64?
}

extension GraphDriver {
  /// The driver as one that knows differences; `nil` if trees must be presented and compared (``DiffSource/trees``).
  package var differenceReading: (any DifferenceReading)? { self as? any DifferenceReading }
}
