// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel

/// Reads a template.
struct TemplateParser {
  private let characters: [Character]
  private var index = 0
  /// How many parentheses are open.
  private var depth = 0
  private static let maximumDepth = 32

  init(_ text: String) { characters = Array(text) }

  mutating func parse() throws(StorageError) -> [Template.Part] {
    var parts: [Template.Part] = []
    var text = ""
    while let character = peek() {
      if character == "{", peek(1) == "{" {
        if !text.isEmpty { parts.append(.text(text)) }
        text = ""
        let column = index + 1
        index += 2
        parts.append(.action(try action(from: column), column: column))
      } else if character == "\\", let next = peek(1), let meant = ["t": "\t", "n": "\n", "\\": "\\"][next] {
        text += meant
        index += 2
      } else {
        text.append(character)
        index += 1
      }
    }
    if !text.isEmpty { parts.append(.text(text)) }
    return parts
  }

  /// What stands between the braces.
  private mutating func action(from column: Int) throws(StorageError) -> Template.Expression {
    skipSpace()
    if peek() == "-" { throw unsupported("trimming by {{-", at: index + 1) }
    if peek() == "/" { throw unsupported("a comment", at: index + 1) }
    if peek() == "}" { throw templateError("there is nothing between {{ and }}", at: column) }
    let expression = try command()
    skipSpace()
    guard let next = peek() else { throw templateError("the {{ of character \(column) has no }}", at: index + 1) }
    if next == "|" { throw unsupported("a pipeline by |", at: index + 1) }
    guard next == "}", peek(1) == "}" else { throw templateError("}} is expected, not \(shown(next))", at: index + 1) }
    index += 2
    return expression
  }

  /// A value, or a function with what it is applied to.
  private mutating func command() throws(StorageError) -> Template.Expression {
    guard let first = peek(), first.isLetter else { return try operand() }
    let column = index + 1
    let word = name()
    guard let function = Template.Function(rawValue: word) else {
      let known = Template.Function.allCases.map(\.rawValue).joined(separator: ", ")
      throw templateError(
        "\(goQuoted(word)) is not supported: fields begin with a dot, functions are \(known)", at: column)
    }
    var arguments: [Template.Expression] = []
    skipSpace()
    while let next = peek(), next != "}", next != "|", next != ")" {
      arguments.append(try operand())
      skipSpace()
    }
    guard arguments.count == function.argumentCount else {
      let wanted = function == .join ? "a list and a separator" : "one value"
      throw templateError("\(word) takes \(wanted)", at: column)
    }
    return .call(function, arguments)
  }

  private mutating func operand() throws(StorageError) -> Template.Expression {
    let column = index + 1
    guard let first = peek() else { throw templateError("a value is missing", at: column) }
    switch first {
    case ".": return .field(try path())
    case "\"", "`": return .literal(try literal(first))
    case "(":
      if depth == TemplateParser.maximumDepth { throw unsupported("so deep a nesting", at: column) }
      depth += 1
      index += 1
      skipSpace()
      let inner = try command()
      skipSpace()
      guard peek() == ")" else { throw templateError("the ( has no )", at: column) }
      index += 1
      depth -= 1
      if peek() == "." { throw unsupported("a field of what is in parentheses", at: index + 1) }
      return inner
    case "$": throw unsupported("a variable", at: column)
    default: throw templateError("a field such as .ID is expected, not \(shown(first))", at: column)
    }
  }

  private mutating func path() throws(StorageError) -> [String] {
    var names: [String] = []
    while peek() == "." {
      index += 1
      let word = name()
      if word.isEmpty {
        if names.isEmpty { return [] }
        throw templateError("the name of a field is missing behind the dot", at: index + 1)
      }
      names.append(word)
    }
    return names
  }

  private mutating func literal(_ quote: Character) throws(StorageError) -> String {
    let column = index + 1
    index += 1
    var text = ""
    while let character = peek() {
      index += 1
      if character == quote { return text }
      guard character == "\\", quote == "\"" else {
        text.append(character)
        continue
      }
      guard let next = peek(), let meant = ["n": "\n", "t": "\t", "\\": "\\", "\"": "\""][next] else {
        throw unsupported("this escape", at: index)
      }
      text += meant
      index += 1
    }
    throw templateError("the text has no closing \(quote)", at: column)
  }

  private mutating func name() -> String {
    let start = index
    while let next = peek(), next.isLetter || next.isNumber || next == "_" { index += 1 }
    return String(characters[start..<index])
  }

  private mutating func skipSpace() { while let next = peek(), next == " " || next == "\t" { index += 1 } }

  private func peek(_ ahead: Int = 0) -> Character? {
    index + ahead < characters.count ? characters[index + ahead] : nil
  }

  private func shown(_ character: Character) -> String { goQuoted(String(character)) }

  private func unsupported(_ what: String, at column: Int) -> StorageError {
    templateError("\(what) is not supported", at: column)
  }
}
