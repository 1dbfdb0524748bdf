// SPDX-License-Identifier: Apache-2.0

package import StowageModel

/// A form of a layer that only other programs make.
package enum ForeignForm: Hashable, Sendable {
  /// The content lies in objects named by digest, the names in an EROFS image (chunked-and-composefs 4): this version
  /// neither mounts nor reads it.
  case composefs
  /// The content lies in an additional layer store, to which a link leads (graph-drivers 13): it can be mounted while that
  /// store is there, but what the layer was made from is not at hand.
  case additionalLayer

  /// The form in words, after "layer X ".
  package var phrase: String {
    switch self {
    case .composefs: "is a composefs layer"
    case .additionalLayer: "is one of an additional layer store"
    }
  }
}

/// A driver in whose directories other programs keep layers in forms of their own.
package protocol ForeignFormTelling: GraphDriver {
  /// The form of a layer; `nil` for the one that this program makes itself.
  ///
  /// - Throws: `system` if that cannot be told.
  func foreignForm(of layer: LayerLocation) throws(StorageError) -> ForeignForm?
}

extension GraphDriver {
  /// The form of a layer if it is another program's.
  package func foreignForm(of layer: LayerLocation) throws(StorageError) -> ForeignForm? {
    try (self as? any ForeignFormTelling)?.foreignForm(of: layer)
  }

  /// The first of some layers that is of a form.
  package func first(_ form: ForeignForm, of layers: [LayerLocation]) throws(StorageError) -> LayerLocation? {
    for layer in layers where try foreignForm(of: layer) == form { return layer }
    return nil
  }
}
