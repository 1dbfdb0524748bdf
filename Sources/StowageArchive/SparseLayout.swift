// SPDX-License-Identifier: Apache-2.0

/// The parts of a sparse file that are written, as PAX format 1.0 has them (archive-and-diff 3.2).
package struct SparseLayout: Sendable {
  /// More parts are not worth it: readers have limits, too.
  package static let mostParts = 10_000

  /// The size of the file, holes included.
  package let size: Int64
  /// Where there are data: ascending, apart from each other.
  package private(set) var parts: [Range<Int64>] = []

  /// A file that is one hole.
  package init(size: Int64) { self.size = size }

  /// Adds a part behind those there are.
  package mutating func append(_ part: Range<Int64>) { parts.append(part) }

  /// The map in front of the content: numbers as lines, up to a whole block.
  var map: [UInt8] {
    // A part of no length tells readers where the file ends if that is a hole.
    let end = parts.last?.upperBound == size ? [] : [size..<size]
    var text = "\(parts.count + end.count)\n"
    for part in parts + end { text += "\(part.lowerBound)\n\(part.upperBound - part.lowerBound)\n" }
    let bytes = Array(text.utf8)
    return bytes + [UInt8](repeating: 0, count: -bytes.count & 511)
  }

  /// The records that say that this is a sparse file, and what it is called.
  func records(name: [UInt8]) -> [PAXEncoder.Record] {
    [("major", Array("1".utf8)), ("minor", Array("0".utf8)), ("name", name), ("realsize", Array("\(size)".utf8))].map {
      PAXEncoder.Record(key: Array("GNU.sparse.\($0.0)".utf8), value: $0.1)
    }
  }

  /// The name for readers that do not know sparse files.
  static func storedName(for name: [UInt8]) -> [UInt8] {
    let base = name.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
    return name[..<base] + Array("GNUSparseFile.0/".utf8) + name[base...]
  }
}
