// SPDX-License-Identifier: Apache-2.0

/// The identifier of a container. See ``StorageIdentifier``.
public struct ContainerID: StorageIdentifier {
  /// The text as recorded.
  public let rawValue: String

  /// Makes an identifier for a new container.
  ///
  /// - Throws: ``StorageError/Code/invalidIdentifier``; the rules are those of ``StorageIdentifier``.
  public init(validating text: String) throws(StorageError) {
    try IdentifierRules.validate(text, kind: "container")
    rawValue = text
  }

  /// Takes an identifier as found in a record; nil if it could leave the store.
  public init?(recorded text: String) {
    guard IdentifierRules.isSafe(text) else { return nil }
    rawValue = text
  }

  /// Stands in a record while it is read; never leaves the decoder.
  static let placeholder = ContainerID(random: "-")

  private init(random text: String) { rawValue = text }

  /// A new random identifier. The caller checks that it is not in use.
  public static func random() -> ContainerID { ContainerID(random: IdentifierRules.random()) }
}
