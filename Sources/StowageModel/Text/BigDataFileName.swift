// SPDX-License-Identifier: Apache-2.0

/// The file name of a big data item, exactly as the reference forms it (on-disk-format 7).
///
/// Only `.`, digits and `a`–`z` are kept; any other key becomes `=` and base64 — except that a key whose first such
/// character is its last one stays as it is. A trailing `/` of the base64 form vanishes.
///
/// - Throws: ``StorageError/Code/invalidBigDataName`` if the key is empty, or if nothing can be stored under its name:
///   `.`, `..`, `userdata` (a directory of images and containers), or `/` or NUL inside the name
///   (on-disk-format 20.23). Such an item cannot exist on disk either, so for a reader it is simply absent.
public func bigDataFileName(for key: String) throws(StorageError) -> String {
  let name = BigDataName.fileName(of: key)
  let bytes = name.utf8
  if name.isEmpty || name == "." || name == ".." || name == "userdata" || bytes.contains(0x2F) || bytes.contains(0) {
    throw StorageError(.invalidBigDataName, "not a valid name for a big data item", subject: key)
  }
  return name
}

/// The key of the big data item in a file of that name; nil if no key has it.
public func bigDataKey(ofFile name: String) -> String? {
  if name.hasPrefix("="), let key = BigDataName.decoded(name.dropFirst()), BigDataName.fileName(of: key) == name {
    return key
  }
  return BigDataName.fileName(of: name) == name && name != "userdata" ? name : nil
}

private enum BigDataName {
  static func fileName(of key: String) -> String {
    let scalars = key.unicodeScalars
    guard let odd = scalars.firstIndex(where: { !isPlain($0) }) else { return key }
    // The reference stops one character too early: an odd last character goes unnoticed.
    if scalars.index(after: odd) == scalars.endIndex { return key == "/" ? "" : trimmed(key) }
    return trimmed("=" + base64(Array(key.utf8)))
  }

  private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x2E, 0x30...0x39, 0x61...0x7A: true
    default: false
    }
  }

  /// Joining the directory and the name cleans the path, which drops trailing slashes.
  private static func trimmed(_ name: String) -> String {
    var bytes = Array(name.utf8)
    while bytes.last == 0x2F { bytes.removeLast() }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The text that a base64 text stands for.
  static func decoded(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var (word, bits) = (UInt32(0), 0)
    for byte in text.utf8 where byte != 0x3D {
      guard let value = alphabet.firstIndex(of: byte) else { return nil }
      (word, bits) = (word << 6 | UInt32(value), bits + 6)
      if bits >= 8 {
        bits -= 8
        bytes.append(UInt8(truncatingIfNeeded: word >> UInt32(bits)))
      }
    }
    return String(validating: bytes, as: UTF8.self)
  }

  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  private static func base64(_ bytes: [UInt8]) -> String {
    var out: [UInt8] = []
    var index = 0
    while index < bytes.count {
      let chunk = bytes[index..<min(index + 3, bytes.count)]
      let word = chunk.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - chunk.count))
      for position in 0..<4 {
        out.append(position <= chunk.count ? alphabet[Int(word >> UInt32(18 - 6 * position) & 63)] : 0x3D)
      }
      index += 3
    }
    return String(decoding: out, as: UTF8.self)
  }
}
