// SPDX-License-Identifier: Apache-2.0

/// Readers of the member types that the records share. `null` reads as empty everywhere.
extension JSONReader {
  /// Goes through the elements of an array, or of nothing for `null`.
  @inline(__always)
  mutating func forEachElement(
    _ body: (inout JSONReader) throws(RecordParseError) -> Void
  ) throws(RecordParseError) {
    if try takeNull() { return }
    try expect(0x5B)
    var first = true
    while try nextElement(&first) { try body(&self) }
  }

  /// Goes through the members of an object, or of nothing for `null`; the reader stands before the value.
  @inline(__always)
  mutating func forEachMember(
    _ body: (inout JSONReader, String) throws(RecordParseError) -> Void
  ) throws(RecordParseError) {
    if try takeNull() { return }
    try expect(0x7B)
    var first = true
    while try advance(&first, close: 0x7D) {
      let name = try readName()
      try body(&self, name)
    }
  }

  mutating func readStrings() throws(RecordParseError) -> [String] {
    var out: [String] = []
    try forEachElement { (reader) throws(RecordParseError) in out.append(try reader.readString()) }
    return out
  }

  mutating func readIDs32() throws(RecordParseError) -> [UInt32] {
    var out: [UInt32] = []
    try forEachElement { (reader) throws(RecordParseError) in out.append(try reader.readUInt32()) }
    return out
  }

  mutating func readDigest() throws(RecordParseError) -> Digest? { Digest(recorded: try readString()) }

  mutating func readTime() throws(RecordParseError) -> Timestamp {
    if try takeNull() { return .unset }
    guard peek() == 0x22, position < end else { throw failure("a time") }
    let start = position
    let token = try scanString()
    let parsed: Timestamp?
    if token.hasEscapes {
      parsed = Timestamp(parsing: text(of: token))
    } else {
      parsed = Timestamp.parse(UnsafeRawBufferPointer(bytes(token.range)))
    }
    guard let parsed else {
      throw RecordParseError("\(goQuoted(bytes: bytes(token.range))) is no RFC 3339 time", at: start)
    }
    return parsed
  }

  mutating func readMappings() throws(RecordParseError) -> [IDMapping] {
    var out: [IDMapping] = []
    try forEachElement { (reader) throws(RecordParseError) in out.append(try reader.readMapping()) }
    return out
  }

  /// Of an ID mapping, in the order of writing.
  private enum MappingMember: String, RecordMember {
    case containerID = "container_id"
    case hostID = "host_id"
    case size
  }

  private static let mappingMembers = MemberTable<MappingMember>()

  private mutating func readMapping() throws(RecordParseError) -> IDMapping {
    var mapping = IDMapping(containerID: 0, hostID: 0, size: 0)
    if try takeNull() { return mapping }
    try expect(0x7B)
    var cursor = MemberCursor(JSONReader.mappingMembers)
    while true {
      switch try cursor.next(&self) {
      case .end: return mapping
      case .known(.containerID): mapping.containerID = Int(try readInt64())
      case .known(.hostID): mapping.hostID = Int(try readInt64())
      case .known(.size): mapping.size = Int(try readInt64())
      case .unknown: _ = try skipValue()
      }
    }
  }

  mutating func readFlags() throws(RecordParseError) -> RecordFlags {
    var out = RecordFlags()
    try forEachMember { (reader, name) throws(RecordParseError) in out[name] = try reader.readValue().sorted }
    return out
  }

  mutating func readSizes() throws(RecordParseError) -> KeyedValues<Int64> {
    var out = KeyedValues<Int64>()
    try forEachMember { (reader, name) throws(RecordParseError) in out[name] = try reader.readInt64() }
    return out
  }

  mutating func readDigests() throws(RecordParseError) -> KeyedValues<Digest> {
    var out = KeyedValues<Digest>()
    try forEachMember { (reader, name) throws(RecordParseError) in
      // An item with an empty digest stays listed, as the reference keeps it.
      out[name] = Digest(unvalidated: try reader.readString())
    }
    return out
  }

  mutating func readUnknown(_ name: String, into members: inout [UnknownMember]) throws(RecordParseError) {
    let range = try skipValue()
    members.append(UnknownMember(name: name, rawValue: Array(bytes(range))))
  }

  /// Reads an identifier that may be empty (nil). An unsafe one sets `problem` and reads as nil too.
  mutating func readOptionalID<ID: StorageIdentifier>(_ member: String) throws(RecordParseError) -> ID? {
    let text = try readString()
    return text.isEmpty ? nil : checkedID(text, member)
  }

  /// Reads an identifier that must not be empty; otherwise sets `problem`.
  mutating func readID<ID: StorageIdentifier>(_ member: String) throws(RecordParseError) -> ID? {
    checkedID(try readString(), member)
  }

  private mutating func checkedID<ID: StorageIdentifier>(_ text: String, _ member: String) -> ID? {
    if let id = ID(recorded: text) { return id }
    problem = "the \(member) \(goQuoted(text)) cannot be used safely"
    return nil
  }
}

/// Writers of the member types that the records share. Those named `optional` leave out what is empty.
extension JSONWriter {
  mutating func optional(_ name: String, _ text: String) {
    if text.isEmpty { return }
    self.name(name)
    string(text)
  }

  mutating func optional(_ name: String, _ value: Int64) {
    if value == 0 { return }
    self.name(name)
    integer(value)
  }

  mutating func optional(_ name: String, _ texts: [String]) {
    if texts.isEmpty { return }
    self.name(name)
    beginArray()
    for text in texts { string(text) }
    endArray()
  }

  mutating func optional(_ name: String, _ ids: [UInt32]) {
    if ids.isEmpty { return }
    self.name(name)
    beginArray()
    for id in ids { integer(id) }
    endArray()
  }

  mutating func optional(_ name: String, _ map: [IDMapping]) {
    if map.isEmpty { return }
    self.name(name)
    beginArray()
    for range in map {
      beginObject()
      self.name("container_id")
      integer(range.containerID)
      self.name("host_id")
      integer(range.hostID)
      self.name("size")
      integer(range.size)
      endObject()
    }
    endArray()
  }

  mutating func optional<V>(_ name: String, _ table: KeyedValues<V>, _ write: (inout JSONWriter, V) -> Void) {
    if table.isEmpty { return }
    self.name(name)
    self.table(table, write)
  }

  mutating func flags(_ flags: RecordFlags) {
    optional("flags", flags) { (writer, value) in writer.value(value) }
  }

  mutating func bigData(_ names: [String], _ sizes: KeyedValues<Int64>, _ digests: KeyedValues<Digest>) {
    optional("big-data-names", names)
    optional("big-data-sizes", sizes) { (writer, size) in writer.integer(size) }
    optional("big-data-digests", digests) { (writer, digest) in writer.string(digest.description) }
  }

  mutating func unknown(_ members: [UnknownMember]) {
    for member in members {
      name(member.name)
      raw(member.rawValue)
    }
  }
}
