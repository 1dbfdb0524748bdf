// SPDX-License-Identifier: Apache-2.0

/// The identifier of a layer, an image or a container.
///
/// Identifiers become names of directories, hence the two ways in: ``init(validating:)`` for new objects is strict,
/// ``init(recorded:)`` for what is on disk refuses only what would leave the store. Compared and ordered byte by byte,
/// without Unicode normalisation. Source: on-disk-format 6.1 and 20.21.
public protocol StorageIdentifier: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// The text as recorded.
  var rawValue: String { get }

  /// Makes an identifier for a new object.
  ///
  /// - Throws: ``StorageError/Code/invalidIdentifier`` if the text is empty, `.` or `..`, or holds `/` or NUL; for
  ///   layers also if it holds `:`, `,`, `\`, `"` or white space (changes-1.64 1.4).
  init(validating text: String) throws(StorageError)

  /// Takes an identifier as found in a record; nil if it is empty, `.` or `..`, or holds `/` or NUL.
  init?(recorded text: String)

  /// A new random identifier: 64 lower-case hexadecimal digits, the first 12 of them not all decimal.
  static func random() -> Self
}

extension StorageIdentifier {
  /// The text as recorded.
  public var description: String { rawValue }

  /// True if both have the same bytes.
  public static func == (a: Self, b: Self) -> Bool { a.rawValue.hasSameBytes(as: b.rawValue) }

  /// Orders by bytes.
  public static func < (a: Self, b: Self) -> Bool { a.rawValue.precedesByBytes(b.rawValue) }

  /// Hashes the bytes.
  public func hash(into hasher: inout Hasher) { rawValue.hashBytes(into: &hasher) }
}

/// The rules shared by the three identifier types.
enum IdentifierRules {
  static func isSafe(_ text: String) -> Bool {
    if text.utf8.count < 3, text.isEmpty || text == "." || text == ".." { return false }
    // In place: a store may have ten thousand records with several identifiers each.
    var copy = text
    return copy.withUTF8 { bytes in
      for byte in bytes where byte == 0x2F || byte == 0 { return false }
      return true
    }
  }

  /// Layer identifiers appear in colon-separated files and in mount options.
  static func isSafeForMountOptions(_ text: String) -> Bool {
    !text.unicodeScalars.contains {
      $0 == ":" || $0 == "," || $0 == "\\" || $0 == "\"" || $0.properties.isWhitespace
    }
  }

  static func refusal(_ kind: String, _ text: String, _ reason: String) -> StorageError {
    StorageError(.invalidIdentifier, "invalid \(kind) ID \(goQuoted(text)): \(reason)", subject: text)
  }

  static func validate(_ text: String, kind: String) throws(StorageError) {
    if text.isEmpty { throw refusal(kind, text, "it is empty") }
    if !isSafe(text) { throw refusal(kind, text, #"it must not be "." or ".." and must not contain "/" or NUL"#) }
  }

  static func random() -> String {
    var generator = SystemRandomNumberGenerator()
    while true {
      let text = random(using: &generator)
      if !text.utf8.prefix(12).allSatisfy({ $0 < 0x3A }) { return text }
    }
  }

  private static func random(using generator: inout SystemRandomNumberGenerator) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(64)
    for _ in 0..<4 {
      var word: UInt64 = generator.next()
      for _ in 0..<16 {
        bytes.append(digits[Int(word & 15)])
        word >>= 4
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
