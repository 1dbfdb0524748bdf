// SPDX-License-Identifier: Apache-2.0

/// A ustar header block being written (archive-and-diff 3.3).
struct HeaderBlock {
  private(set) var bytes = [UInt8](repeating: 0, count: TarBlock.size)

  /// Makes this the header of an entry; what `records` hold is written as 0, or as far as it fits.
  mutating func fill(_ header: TarHeader, size: Int64, records: [PAXEncoder.Record]) {
    clear()
    var inRecords: Set<String> = []
    for record in records { inRecords.insert(String(decoding: record.key, as: UTF8.self)) }
    setName(header.name, isInRecords: inRecords.contains("path"))
    set(header.linkName, 157, 100, isInRecords: inRecords.contains("linkpath"))
    set(header.mode & 0o7777, 100, 8)
    set(inRecords.contains("uid") ? 0 : header.uid, 108, 8)
    set(inRecords.contains("gid") ? 0 : header.gid, 116, 8)
    set(inRecords.contains("size") ? 0 : size, 124, 12)
    let seconds = header.modified.seconds
    set(inRecords.contains("mtime") && !(0...0o77777777777).contains(seconds) ? 0 : seconds, 136, 12)
    bytes[156] = header.kind.rawValue
    let isDevice = header.kind == .characterDevice || header.kind == .blockDevice
    set(isDevice ? header.deviceMajor : 0, 329, 8)
    set(isDevice ? header.deviceMinor : 0, 337, 8)
    seal()
  }

  /// Makes this the `x` header for the entry of that name.
  mutating func fillExtended(name: [UInt8], dataSize: Int) {
    clear()
    set(Self.extendedName(for: name), 0, 100, isInRecords: true)
    for (offset, length) in [(100, 8), (108, 8), (116, 8), (136, 12)] { set(0, offset, length) }
    set(Int64(dataSize), 124, 12)
    bytes[156] = UInt8(ascii: "x")
    seal()
  }

  /// `PaxHeaders.0` between the directory and the base of `name`.
  static func extendedName(for name: [UInt8]) -> [UInt8] {
    let slash = UInt8(ascii: "/")
    let split = name.lastIndex(of: slash).map { $0 + 1 } ?? 0
    var joined: [UInt8] = []
    CleanedNames.clean(Array(name[..<split]) + Array("PaxHeaders.0/".utf8) + name[split...], into: &joined)
    var ascii = Array(droppingNonASCII(joined).prefix(100))
    while ascii.last == slash { ascii.removeLast() }
    return ascii
  }

  private mutating func clear() {
    for index in bytes.indices { bytes[index] = 0 }
  }

  private mutating func setName(_ name: [UInt8], isInRecords: Bool) {
    if !isInRecords, let slash = PAXEncoder.split(name) {
      copy(name[..<slash], 345)
      copy(name[(slash + 1)...], 0)
    } else {
      set(name, 0, 100, isInRecords: isInRecords)
    }
  }

  private mutating func set(_ text: [UInt8], _ offset: Int, _ length: Int, isInRecords: Bool) {
    guard isInRecords else { return copy(text.prefix(length)[...], offset) }
    var ascii = Self.droppingNonASCII(text)
    if ascii.count > length {
      ascii.removeSubrange(length...)
      // A cut name must not look like a directory's.
      while ascii.last == UInt8(ascii: "/") { ascii.removeLast() }
    }
    copy(ascii[...], offset)
  }

  /// Without the bytes of any character outside ASCII, and without NULs.
  private static func droppingNonASCII(_ text: [UInt8]) -> [UInt8] { text.filter { $0 < 0x80 && $0 != 0 } }

  private mutating func copy(_ text: ArraySlice<UInt8>, _ offset: Int) {
    for (index, byte) in text.enumerated() { bytes[offset + index] = byte }
  }

  /// Octal digits to the field's length less one, then NUL. Numbers above that are the caller's to avoid.
  private mutating func set(_ number: Int64, _ offset: Int, _ length: Int) {
    var rest = UInt64(max(number, 0))
    for index in stride(from: offset + length - 2, through: offset, by: -1) {
      bytes[index] = UInt8(ascii: "0") + UInt8(rest & 7)
      rest >>= 3
    }
  }

  /// Writes the magic and the checksum: six digits, NUL, space.
  private mutating func seal() {
    copy(Array("ustar\u{0}00".utf8)[...], 257)
    for index in 148..<156 { bytes[index] = UInt8(ascii: " ") }
    let sum = bytes.reduce(0) { $0 + Int64($1) }
    set(sum, 148, 7)
    bytes[154] = 0
    bytes[155] = UInt8(ascii: " ")
  }
}
