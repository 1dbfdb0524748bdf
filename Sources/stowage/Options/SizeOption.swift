// SPDX-License-Identifier: Apache-2.0
import StowageModel

/// `--max-size`: how much an archive may hold when it is unpacked. Not an option of the reference.
enum SizeOption {
  static let definition = OptionDefinition(
    "--max-size", kind: .text(), usage: "Refuse what unpacks to more (bytes, or with K, M, G, T)", isAdditional: true)

  /// The limit that the options give; `nil` for none.
  static func limit(_ options: OptionValues) throws(StorageError) -> SizeLimit? {
    guard let text = given(options[text: definition]) else { return nil }
    guard let bytes = bytes(text) else {
      throw StorageError(
        .usage, "invalid value \(goQuoted(text)) for --max-size: a number of bytes, or one with K, M, G or T as in 20G")
    }
    return SizeLimit(bytes: bytes)
  }

  /// A number with a unit, powers of 1024 as in sizes of other options; `nil` if it is none.
  static func bytes(_ text: String) -> Int64? {
    var digits = Substring(text)
    var shift = 0
    if let last = text.last, let unit = "KMGT".firstIndex(of: Character(last.uppercased())) {
      digits = text.dropLast()
      shift = 10 * ("KMGT".distance(from: "KMGT".startIndex, to: unit) + 1)
    }
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int64(digits) else {
      return nil
    }
    let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
    return overflow ? nil : bytes
  }
}
