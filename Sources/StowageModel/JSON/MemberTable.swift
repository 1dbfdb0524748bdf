// SPDX-License-Identifier: Apache-2.0

/// The members of a kind of record, in the order of writing; the raw value is the name on disk.
protocol RecordMember: RawRepresentable<String>, CaseIterable, Sendable {}

/// Finds the members of a kind of record by name.
struct MemberTable<Member: RecordMember>: Sendable {
  private let members: [Member]
  private let names: [[UInt8]]

  /// All members of the kind.
  init() {
    members = Array(Member.allCases)
    names = members.map { Array($0.rawValue.utf8) }
  }

  /// The member at an index that ``index(of:hint:)`` has found.
  subscript(index: Int) -> Member { members[index] }

  /// The index of a name. The search for the exact name begins at `hint`, as members mostly come in order; ASCII letters
  /// match in either case if no name is equal.
  func index(of name: UnsafeBufferPointer<UInt8>, hint: Int) -> Int? {
    for index in hint..<max(hint, names.count) where equal(names[index], name) { return index }
    for index in 0..<min(hint, names.count) where equal(names[index], name) { return index }
    return names.firstIndex { equalIgnoringCase($0, name) }
  }

  private func equal(_ a: [UInt8], _ b: UnsafeBufferPointer<UInt8>) -> Bool {
    guard a.count == b.count else { return false }
    for index in 0..<a.count where a[index] != b[index] { return false }
    return true
  }

  private func equalIgnoringCase(_ a: [UInt8], _ b: UnsafeBufferPointer<UInt8>) -> Bool {
    guard a.count == b.count else { return false }
    for index in 0..<a.count {
      let other = b[index]
      let folded = (0x41...0x5A).contains(other) ? other | 0x20 : other
      if a[index] != folded { return false }
    }
    return true
  }
}

/// What the next member of an object is.
enum MemberMatch<Member: RecordMember> {
  /// A member of the kind of record; the reader stands before the value.
  case known(Member)
  /// A name that is not in the table; the reader stands before the value.
  case unknown(String)
  /// The object is over.
  case end
}

/// Goes through the members of one object.
struct MemberCursor<Member: RecordMember> {
  private let table: MemberTable<Member>
  private var first = true
  private var hint = 0

  init(_ table: MemberTable<Member>) { self.table = table }

  mutating func next(_ reader: inout JSONReader) throws(RecordParseError) -> MemberMatch<Member> {
    guard try reader.advance(&first, close: 0x7D) else { return .end }
    guard reader.peek() == 0x22 else { throw reader.failure("a member name") }
    let token = try reader.scanString()
    try reader.expect(0x3A)
    if !token.hasEscapes {
      if let index = table.index(of: reader.bytes(token.range), hint: hint) {
        hint = index + 1
        return .known(table[index])
      }
      return .unknown(reader.text(of: token))
    }
    var name = reader.text(of: token)
    if let index = name.withUTF8({ table.index(of: $0, hint: 0) }) { return .known(table[index]) }
    return .unknown(name)
  }
}
