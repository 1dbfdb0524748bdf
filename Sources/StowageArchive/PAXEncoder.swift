// SPDX-License-Identifier: Apache-2.0

/// Decides which PAX records an entry needs, and writes them (archive-and-diff 3.3).
enum PAXEncoder {
  /// A record; the key names the header field it replaces.
  struct Record {
    var key: [UInt8]
    var value: [UInt8]

    /// Whether a reader can tell the key from the value.
    var isValid: Bool { !key.contains(UInt8(ascii: "=")) && !key.contains(0) }
  }

  private static let octal7: ClosedRange<Int64> = 0...0o7777777
  private static let octal11: ClosedRange<Int64> = 0...0o77777777777

  /// The records needed, sorted by key.
  static func records(for header: TarHeader, size: Int64, precision: TarWriter.TimePrecision) -> [Record] {
    var records: [Record] = []
    func add(_ key: String, _ value: [UInt8]) { records.append(Record(key: Array(key.utf8), value: value)) }
    let isPlainName = isASCII(header.name) && header.name.count <= 100
    if !isPlainName && split(header.name) == nil { add("path", header.name) }
    if header.linkName.count > 100 || !isASCII(header.linkName) { add("linkpath", header.linkName) }
    if !octal7.contains(header.uid) { add("uid", Array(String(header.uid).utf8)) }
    if !octal7.contains(header.gid) { add("gid", Array(String(header.gid).utf8)) }
    if !octal11.contains(size) { add("size", Array(String(size).utf8)) }
    if let time = timeText(header.modified, precision) { add("mtime", time) }
    for attribute in header.extendedAttributes {
      records.append(Record(key: Array("SCHILY.xattr.".utf8) + attribute.name, value: attribute.value))
    }
    // A name that a ustar header could split goes to a record as soon as there are others.
    if !records.isEmpty && !isPlainName && split(header.name) != nil { add("path", header.name) }
    return records.sorted { $0.key.lexicographicallyPrecedes($1.key) }
  }

  /// The data of an `x` header.
  static func encode(_ records: [Record]) -> [UInt8] {
    var data: [UInt8] = []
    for record in records {
      // The length counts its own digits.
      let rest = record.key.count + record.value.count + 3
      var length = rest + String(rest).utf8.count
      if String(length).utf8.count != String(rest).utf8.count { length = rest + String(length).utf8.count }
      data.append(contentsOf: String(length).utf8)
      data.append(UInt8(ascii: " "))
      data.append(contentsOf: record.key)
      data.append(UInt8(ascii: "="))
      data.append(contentsOf: record.value)
      data.append(UInt8(ascii: "\n"))
    }
    return data
  }

  static func isASCII(_ text: some Sequence<UInt8>) -> Bool { text.allSatisfy { $0 < 0x80 && $0 != 0 } }

  /// Where a ustar header splits a name that is too long for its name field; nil if it cannot.
  static func split(_ name: [UInt8]) -> Int? {
    guard name.count > 100, isASCII(name) else { return nil }
    var length = name.count
    if length > 156 {
      length = 156
    } else if name[length - 1] == UInt8(ascii: "/") {
      length -= 1
    }
    guard let slash = name[..<length].lastIndex(of: UInt8(ascii: "/")), slash > 0, slash <= 155 else { return nil }
    let rest = name.count - slash - 1
    return (1...100).contains(rest) ? slash : nil
  }

  private static func timeText(_ time: ArchiveTime, _ precision: TarWriter.TimePrecision) -> [UInt8]? {
    let hasFraction = precision == .nanoseconds && time.nanoseconds != 0
    guard hasFraction || !octal11.contains(time.seconds) else { return nil }
    guard hasFraction else { return Array(String(time.seconds).utf8) }
    // Before 1970 the sign applies to the fraction, too.
    let isNegative = time.seconds < 0
    let seconds = isNegative ? (time.seconds &+ 1).magnitude : time.seconds.magnitude
    let nanoseconds = isNegative ? 1_000_000_000 - time.nanoseconds : time.nanoseconds
    var fraction = Array(String(1_000_000_000 + nanoseconds).utf8.dropFirst())
    while fraction.last == UInt8(ascii: "0") { fraction.removeLast() }
    return Array((isNegative ? "-" : "").utf8) + Array(String(seconds).utf8) + [UInt8(ascii: ".")] + fraction
  }
}
