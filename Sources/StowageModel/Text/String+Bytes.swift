// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension String {
  /// True if both have the same UTF-8 bytes. `==` would also equate differently composed characters.
  package func hasSameBytes(as other: String) -> Bool {
    let count = utf8.count
    if count != other.utf8.count { return false }
    // Deep chains compare their identifiers again and again, and byte by byte that takes ten times as long.
    let isSame = utf8.withContiguousStorageIfAvailable { own in
      other.utf8.withContiguousStorageIfAvailable { others -> Bool in
        guard let own = own.baseAddress, let others = others.baseAddress else { return true }
        return memcmp(own, others, count) == 0
      }
    }
    return isSame.flatMap { $0 } ?? utf8.elementsEqual(other.utf8)
  }

  /// True if this text comes before the other in byte order.
  package func precedesByBytes(_ other: String) -> Bool { utf8.lexicographicallyPrecedes(other.utf8) }

  /// Feeds the UTF-8 bytes and their number to the hasher.
  package func hashBytes(into hasher: inout Hasher) {
    var copy = self
    copy.withUTF8 { bytes in
      hasher.combine(bytes.count)
      hasher.combine(bytes: UnsafeRawBufferPointer(bytes))
    }
  }
}

/// A text that is equal to another one only if the bytes are: the key for tables of names.
///
/// Names are compared without Unicode normalisation (on-disk-format 6.2), which `String` as a key would do.
package struct ByteText: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The text.
  package let text: String

  /// Wraps a text.
  package init(_ text: String) { self.text = text }

  /// The text.
  package var description: String { text }

  /// True if both have the same bytes.
  package static func == (a: ByteText, b: ByteText) -> Bool { a.text.hasSameBytes(as: b.text) }

  /// Orders by bytes.
  package static func < (a: ByteText, b: ByteText) -> Bool { a.text.precedesByBytes(b.text) }

  /// Hashes the bytes.
  package func hash(into hasher: inout Hasher) { text.hashBytes(into: &hasher) }
}

/// Removes repeated texts, keeping first occurrences, comparing bytes.
package func withoutRepeats(_ texts: [String]) -> [String] {
  var seen: Set<ByteText> = []
  return texts.filter { seen.insert(ByteText($0)).inserted }
}
