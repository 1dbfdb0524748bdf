// SPDX-License-Identifier: Apache-2.0

/// Reads a TOML 1.0 document. Dates and times are recognised but not interpreted.
///
/// - Throws: What is wrong, and where.
package func readTOML(_ bytes: [UInt8]) throws(ConfigurationProblem) -> ConfigurationTable {
  var parser = TOMLParser(bytes)
  return try parser.parse()
}

/// A position in a TOML document. Every access checks the end: no input can trap.
struct TOMLParser {
  let bytes: [UInt8]
  /// Where each line begins.
  private let lines: [Int]
  var index = 0

  /// Nesting of values, and parts of a name, beyond this are refused, so that the recursion is bounded.
  static let limit = 64

  init(_ bytes: [UInt8]) {
    self.bytes = bytes
    lines = [0] + bytes.indices.filter { bytes[$0] == 0x0A }.map { $0 + 1 }
  }

  /// The byte at this position plus an offset; 0 behind the end.
  func peek(_ offset: Int = 0) -> UInt8 { index + offset < bytes.count ? bytes[index + offset] : 0 }

  var isAtEnd: Bool { index >= bytes.count }

  /// The line and column of a byte.
  func place(_ position: Int) -> TextPosition {
    var (first, end) = (0, lines.count)
    while end - first > 1 {
      let middle = (first + end) / 2
      if lines[middle] <= position { first = middle } else { end = middle }
    }
    return TextPosition(line: first + 1, column: position - lines[first] + 1)
  }

  /// A problem at this position, or another one.
  func problem(_ reason: String, at position: Int? = nil) -> ConfigurationProblem {
    ConfigurationProblem(reason: reason, position: place(position ?? index))
  }

  private func defined(_ names: [TOMLTree.Name], at position: Int) -> ConfigurationProblem {
    problem("key '\(names.map(\.text).joined(separator: "."))' has already been defined", at: position)
  }

  mutating func parse() throws(ConfigurationProblem) -> ConfigurationTable {
    // Strings are cut out of the bytes later: so it is enough to look here.
    if let position = invalidByte() { throw problem("invalid UTF-8", at: position) }
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { index = 3 }
    let root = TOMLTree(.header, at: place(0))
    var current = root
    while true {
      try skipBlank()
      if isAtEnd { return root.table }
      if peek() == 0x5B {
        current = try header(root)
      } else {
        try assignment(to: current)
      }
      try endLine()
    }
  }

  /// Where the first byte is that does not belong to UTF-8.
  private func invalidByte() -> Int? {
    if String(validating: bytes, as: UTF8.self) != nil { return nil }
    var parser = Unicode.UTF8.ForwardParser()
    var rest = bytes.makeIterator()
    var position = 0
    while case .valid(let scalar) = parser.parseScalar(from: &rest) { position += scalar.count }
    return position
  }

  /// `[a.b]` or `[[a.b]]`
  private mutating func header(_ root: TOMLTree) throws(ConfigurationProblem) -> TOMLTree {
    let start = index
    let isArray = peek(1) == 0x5B
    index += isArray ? 2 : 1
    let names = try name()
    try expect(0x5D, "']' at the end of a table name")
    if isArray {
      guard peek() == 0x5D else { throw problem("expected ']]' at the end of a table name") }
      index += 1
    }
    var tree = root
    for name in names.dropLast() {
      guard let next = tree.descend(name) else { throw defined(names, at: start) }
      tree = next
    }
    guard let last = names.last, let opened = isArray ? tree.appendTable(last) : tree.open(last) else {
      throw defined(names, at: start)
    }
    return opened
  }

  /// `a.b = value`
  private mutating func assignment(to table: TOMLTree, depth: Int = 0) throws(ConfigurationProblem) {
    let start = index
    let names = try name()
    try expect(0x3D, "'=' after a key")
    skipSpace()
    var tree = table
    for name in names.dropLast() {
      guard let next = tree.dotted(name) else { throw defined(names, at: start) }
      tree = next
    }
    let value = try value(depth: depth)
    guard let last = names.last, tree.add(last, value) else { throw defined(names, at: start) }
  }

  /// The parts of a dotted name; white space around them belongs to it.
  private mutating func name() throws(ConfigurationProblem) -> [TOMLTree.Name] {
    var parts: [TOMLTree.Name] = []
    while true {
      skipSpace()
      let start = index
      let part: String
      switch peek() {
      case 0x22: part = try basicString()
      case 0x27: part = try literalString()
      default:
        while isBare(peek()) { index += 1 }
        if index == start { throw problem("expected a key") }
        part = text(start..<index)
      }
      parts.append((part, place(start)))
      if parts.count > TOMLParser.limit { throw problem("key with too many parts") }
      skipSpace()
      if peek() != 0x2E { return parts }
      index += 1
    }
  }

  private func isBare(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F, 0x2D: true
    default: false
    }
  }

  mutating func value(depth: Int) throws(ConfigurationProblem) -> ConfigurationValue {
    if depth > TOMLParser.limit { throw problem("values nested too deep") }
    let start = index
    let content: ConfigurationValue.Content =
      switch peek() {
      case 0x22: .string(try startsWith("\"\"\"") ? multilineBasicString() : basicString())
      case 0x27: .string(try startsWith("'''") ? multilineLiteralString() : literalString())
      case 0x5B: .array(try array(depth: depth))
      case 0x7B: .table(try inlineTable(depth: depth))
      default: try scalar()
      }
    return ConfigurationValue(content: content, position: place(start))
  }

  private mutating func array(depth: Int) throws(ConfigurationProblem) -> [ConfigurationValue] {
    index += 1
    var values: [ConfigurationValue] = []
    while true {
      try skipBlank()
      if peek() == 0x5D { break }
      values.append(try value(depth: depth + 1))
      try skipBlank()
      if peek() == 0x5D { break }
      try expect(0x2C, "',' or ']' in an array")
    }
    index += 1
    return values
  }

  private mutating func inlineTable(depth: Int) throws(ConfigurationProblem) -> ConfigurationTable {
    let table = TOMLTree(.header, at: place(index))
    index += 1
    skipSpace()
    if peek() == 0x7D {
      index += 1
      return [:]
    }
    while true {
      try assignment(to: table, depth: depth + 1)
      skipSpace()
      if peek() == 0x7D { break }
      try expect(0x2C, "',' or '}' in an inline table")
    }
    index += 1
    return table.table
  }

  // MARK: - Between the values

  func startsWith(_ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard index + count <= bytes.count else { return false }
    return bytes[index..<(index + count)].elementsEqual(UnsafeBufferPointer(start: text.utf8Start, count: count))
  }

  func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

  mutating func skipSpace() {
    while peek() == 0x20 || peek() == 0x09 { index += 1 }
  }

  private mutating func expect(_ byte: UInt8, _ what: String) throws(ConfigurationProblem) {
    guard !isAtEnd, peek() == byte else { throw problem("expected \(what)") }
    index += 1
  }

  /// White space, line ends and comments.
  private mutating func skipBlank() throws(ConfigurationProblem) {
    while true {
      skipSpace()
      if peek() == 0x23 {
        try skipComment()
      } else if peek() == 0x0A {
        index += 1
      } else if peek() == 0x0D, peek(1) == 0x0A {
        index += 2
      } else {
        return
      }
    }
  }

  private mutating func skipComment() throws(ConfigurationProblem) {
    while !isAtEnd, peek() != 0x0A {
      if peek() == 0x0D, peek(1) == 0x0A { return }
      if isControl(peek()) { throw problem("control character in a comment") }
      index += 1
    }
  }

  /// What may follow a header or a value on its line: nothing but a comment.
  private mutating func endLine() throws(ConfigurationProblem) {
    skipSpace()
    if peek() == 0x23 { try skipComment() }
    if isAtEnd || peek() == 0x0A || (peek() == 0x0D && peek(1) == 0x0A) { return }
    throw problem("expected the end of the line")
  }

  /// Control characters other than the tabulator.
  func isControl(_ byte: UInt8) -> Bool { (byte < 0x20 && byte != 0x09) || byte == 0x7F }
}
