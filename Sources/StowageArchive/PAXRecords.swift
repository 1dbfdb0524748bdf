// SPDX-License-Identifier: Apache-2.0
internal import StowageCompression

/// The records of one `x` or `g` header (archive-and-diff 3.1, 3.2).
///
/// Values are ranges of `bytes`; an empty range means absent or empty, which is the same but for extended attributes.
/// One object serves all entries of an archive, so that nothing is allocated for each.
struct PAXRecords {
  var bytes: [UInt8] = []
  private(set) var isEmpty = true
  private(set) var path = 0..<0
  private(set) var linkPath = 0..<0
  private(set) var uid = 0..<0
  private(set) var gid = 0..<0
  private(set) var size = 0..<0
  private(set) var modified = 0..<0
  private(set) var accessed = 0..<0
  private(set) var changed = 0..<0
  private(set) var sparseMajor = 0..<0
  private(set) var sparseMinor = 0..<0
  private(set) var sparseName = 0..<0
  private(set) var sparseSize = 0..<0
  private(set) var sparseRealSize = 0..<0
  private(set) var sparseCount = 0..<0
  private(set) var sparseMap = 0..<0
  /// The offsets and lengths of format 0.0, alternating.
  private(set) var sparsePairs: [Range<Int>] = []
  private var attributes: [(name: Range<Int>, value: Range<Int>)] = []

  /// Forgets all records but keeps the memory.
  mutating func reset() {
    guard !isEmpty else { return }
    let memory = bytes
    self = PAXRecords()
    bytes = memory
    bytes.removeAll(keepingCapacity: true)
  }

  /// Parses `bytes`, which the caller has just filled.
  mutating func parse() throws(ArchiveError) {
    isEmpty = false
    var position = 0
    while position < bytes.count {
      position = try parseRecord(at: position)
    }
  }

  /// Whether any record may describe a sparse file.
  var mentionsSparse: Bool {
    !sparseMajor.isEmpty || !sparseMinor.isEmpty || !sparseMap.isEmpty || !sparsePairs.isEmpty
  }

  /// The bytes of a value.
  func value(_ range: Range<Int>) -> ArraySlice<UInt8> { bytes[range] }

  /// The extended attributes; of a repeated name the last value at its first place.
  func extendedAttributes() -> [TarHeader.ExtendedAttribute] {
    guard !attributes.isEmpty else { return [] }
    var result: [TarHeader.ExtendedAttribute] = []
    var places: [[UInt8]: Int] = [:]
    for attribute in attributes {
      let name = Array(bytes[attribute.name])
      let value = Array(bytes[attribute.value])
      if attributes.count > 1, let place = places.updateValue(places[name] ?? result.count, forKey: name) {
        result[place].value = value
      } else {
        result.append(TarHeader.ExtendedAttribute(name: name, value: value))
      }
    }
    return result
  }

  private mutating func parseRecord(at start: Int) throws(ArchiveError) -> Int {
    let digits = bytes[start...].prefix(20)
    guard let space = digits.firstIndex(of: UInt8(ascii: " ")),
      let length = TarNumber.decimal(bytes[start..<space]),
      length >= 5, length <= Int64(bytes.count - start)
    else { throw .invalidHeader }
    let end = start + Int(length)
    guard space + 1 < end - 1, bytes[end - 1] == UInt8(ascii: "\n") else { throw .invalidHeader }
    let record = (space + 1)..<(end - 1)
    guard let equals = bytes[record].firstIndex(of: UInt8(ascii: "=")), equals > record.lowerBound else {
      throw .invalidHeader
    }
    try store(key: record.lowerBound..<equals, value: (equals + 1)..<record.upperBound)
    return end
  }

  private mutating func store(key: Range<Int>, value: Range<Int>) throws(ArchiveError) {
    if matches(key, "path") {
      path = try withoutNUL(value)
    } else if matches(key, "linkpath") {
      linkPath = try withoutNUL(value)
    } else if matches(key, "uname") || matches(key, "gname") {
      _ = try withoutNUL(value)
    } else {
      _ = try withoutNUL(key)
      if matches(key, "mtime") {
        modified = value
      } else if matches(key, "atime") {
        accessed = value
      } else if matches(key, "ctime") {
        changed = value
      } else if matches(key, "size") {
        size = value
      } else if matches(key, "uid") {
        uid = value
      } else if matches(key, "gid") {
        gid = value
      } else if begins(key, with: "SCHILY.xattr.") {
        attributes.append((name: (key.lowerBound + 13)..<key.upperBound, value: value))
      } else if begins(key, with: "GNU.sparse.") {
        try storeSparse(key: (key.lowerBound + 11)..<key.upperBound, value: value)
      }
    }
  }

  private mutating func storeSparse(key: Range<Int>, value: Range<Int>) throws(ArchiveError) {
    if matches(key, "offset") || matches(key, "numbytes") {
      let isOffset = matches(key, "offset")
      guard isOffset == sparsePairs.count.isMultiple(of: 2), !bytes[value].contains(UInt8(ascii: ",")) else {
        throw .invalidHeader
      }
      sparsePairs.append(value)
    } else if matches(key, "major") {
      sparseMajor = value
    } else if matches(key, "minor") {
      sparseMinor = value
    } else if matches(key, "name") {
      sparseName = value
    } else if matches(key, "size") {
      sparseSize = value
    } else if matches(key, "realsize") {
      sparseRealSize = value
    } else if matches(key, "numblocks") {
      sparseCount = value
    } else if matches(key, "map") {
      sparseMap = value
    }
  }

  private func matches(_ range: Range<Int>, _ text: StaticString) -> Bool {
    range.count == text.utf8CodeUnitCount && begins(range, with: text)
  }

  private func begins(_ range: Range<Int>, with text: StaticString) -> Bool {
    guard range.count >= text.utf8CodeUnitCount else { return false }
    return text.withUTF8Buffer { bytes[range].starts(with: $0) }
  }

  private func withoutNUL(_ range: Range<Int>) throws(ArchiveError) -> Range<Int> {
    guard !bytes[range].contains(0) else { throw .invalidHeader }
    return range
  }
}

extension PAXRecords {
  /// Replaces what the records say about `header`. An empty value keeps the header's own.
  func apply(to header: inout TarHeader) throws(ArchiveError) {
    guard !isEmpty else { return }
    if !path.isEmpty { header.name = Array(bytes[path]) }
    if !linkPath.isEmpty { header.linkName = Array(bytes[linkPath]) }
    if !uid.isEmpty { header.uid = try number(uid) }
    if !gid.isEmpty { header.gid = try number(gid) }
    if !size.isEmpty { header.size = try number(size) }
    if !modified.isEmpty { header.modified = try time(modified) }
    if !accessed.isEmpty { header.accessed = try time(accessed) }
    if !changed.isEmpty { header.changed = try time(changed) }
    header.extendedAttributes = extendedAttributes()
  }

  /// A decimal number, or an invalid header.
  func number(_ range: Range<Int>) throws(ArchiveError) -> Int64 {
    guard let value = TarNumber.decimal(bytes[range]) else { throw .invalidHeader }
    return value
  }

  /// `[-]seconds[.fraction]`; the sign applies to the fraction, too.
  private func time(_ range: Range<Int>) throws(ArchiveError) -> ArchiveTime {
    let dot = bytes[range].firstIndex(of: UInt8(ascii: ".")) ?? range.upperBound
    let whole = range.lowerBound..<dot
    let seconds = try number(whole)
    var nanoseconds: Int64 = 0
    var digits = 0
    for byte in bytes[dot..<range.upperBound].dropFirst() {
      guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { throw .invalidHeader }
      guard digits < 9 else { continue }
      nanoseconds = nanoseconds * 10 + Int64(byte - UInt8(ascii: "0"))
      digits += 1
    }
    while digits < 9 {
      nanoseconds *= 10
      digits += 1
    }
    guard bytes[whole].first == UInt8(ascii: "-"), nanoseconds > 0 else {
      return ArchiveTime(seconds: seconds, nanoseconds: nanoseconds)
    }
    let (floor, overflow) = seconds.subtractingReportingOverflow(1)
    guard !overflow else { throw .invalidHeader }
    return ArchiveTime(seconds: floor, nanoseconds: 1_000_000_000 - nanoseconds)
  }
}
