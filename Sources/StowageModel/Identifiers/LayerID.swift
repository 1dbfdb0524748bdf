// SPDX-License-Identifier: Apache-2.0

/// The identifier of a layer. See ``StorageIdentifier``.
public struct LayerID: StorageIdentifier {
  /// The text as recorded.
  public let rawValue: String

  /// Makes an identifier for a new layer.
  ///
  /// - Throws: ``StorageError/Code/invalidIdentifier``; the rules are those of ``StorageIdentifier``.
  public init(validating text: String) throws(StorageError) {
    try IdentifierRules.validate(text, kind: "layer")
    if !IdentifierRules.isSafeForMountOptions(text) {
      throw IdentifierRules.refusal("layer", text, #"it must not contain ":", ",", "\", """ or white space"#)
    }
    rawValue = text
  }

  /// Takes an identifier as found in a record; nil if it could leave the store.
  public init?(recorded text: String) {
    guard IdentifierRules.isSafe(text) else { return nil }
    rawValue = text
  }

  /// Stands in a record while it is read; never leaves the decoder.
  static let placeholder = LayerID(random: "-")

  private init(random text: String) { rawValue = text }

  /// A new random identifier. The caller checks that it is not in use.
  public static func random() -> LayerID { LayerID(random: IdentifierRules.random()) }
}
