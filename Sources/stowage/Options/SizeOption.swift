// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel

/// `--max-size`: how much an archive may hold when it is unpacked. Not an option of the reference.
enum SizeOption {
  static let definition = OptionDefinition(
    "--max-size", kind: .text(), usage: "Refuse what unpacks to more (bytes, or with K, M, G, T)", isAdditional: true)

  /// The limit that the options give; `nil` for none.
  static func limit(_ options: OptionValues) throws(StorageError) -> SizeLimit? {
    guard let text = given(options[text: definition]) else { return nil }
    guard let bytes = parseSize(text) else {
      throw StorageError(
        .usage, "invalid value \(goQuoted(text)) for --max-size: a number of bytes, or one with K, M, G or T as in 20G")
    }
    return SizeLimit(bytes: bytes)
  }
}
