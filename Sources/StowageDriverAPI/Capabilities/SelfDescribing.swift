// SPDX-License-Identifier: Apache-2.0

package import StowageModel

/// A driver that tells people about itself and its layers.
package protocol SelfDescribing: GraphDriver {
  /// Key-value pairs for `status`, in the fixed order of graph-drivers 1.4.
  func status() -> [(String, String)]

  /// Key-value pairs about a layer, sorted by key (graph-drivers 1.5).
  ///
  /// - Throws: `layerUnknown` if the layer's directory is missing.
  func metadata(of layer: LayerLocation, over parents: [LayerLocation]) throws(StorageError) -> [(String, String)]
}

extension GraphDriver {
  /// The driver as one that tells about itself; `nil` if it has nothing to tell.
  package var selfDescribing: (any SelfDescribing)? { self as? any SelfDescribing }
}
