// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel

extension Template.Expression {
  /// The value for a row.
  func evaluated(on value: JSONValue, at column: Int) throws(StorageError) -> JSONValue {
    switch self {
    case .literal(let text): return .string(text)
    case .field(let names): return try Template.Expression.field(names, of: value, at: column)
    case .call(let function, let arguments):
      var values: [JSONValue] = []
      for argument in arguments { values.append(try argument.evaluated(on: value, at: column)) }
      return try function.applied(to: values, at: column)
    }
  }

  private static func field(
    _ names: [String], of value: JSONValue, at column: Int
  ) throws(StorageError) -> JSONValue {
    var current = value
    for (depth, name) in names.enumerated() {
      if let next = current.templateField(name) {
        current = next
      } else if depth == 0, let members = current.object {
        let known = members.map(\.name).joined(separator: ", ")
        throw templateError("there is no field .\(name); there are: \(known)", at: column)
      } else if current == .null || current.object != nil {
        // What an image does not say has no value.
        return .null
      } else {
        throw templateError(".\(names[..<depth].joined(separator: ".")) has no fields", at: column)
      }
    }
    return current
  }
}

extension Template.Function {
  fileprivate func applied(to values: [JSONValue], at column: Int) throws(StorageError) -> JSONValue {
    let first = values.first ?? .null
    switch self {
    case .json: return .string(first.compactText)
    case .upper: return .string(first.templateText.uppercased())
    case .lower: return .string(first.templateText.lowercased())
    case .join:
      guard first.array != nil || first == .null else { throw templateError("join needs a list", at: column) }
      let separator = values.last?.templateText ?? ""
      return .string((first.array ?? []).map(\.templateText).joined(separator: separator))
    case .len:
      switch first {
      case .string(let text): return .integer(text.utf8.count)
      case .array(let values): return .integer(values.count)
      case .object(let members): return .integer(members.count)
      case .null: return .integer(0)
      case .bool, .number: throw templateError("len needs a list, a text or an object", at: column)
      }
    }
  }
}

extension JSONValue {
  /// A member by its name; else by its name whatever its case and dashes, so that `.ID` finds `Id`.
  fileprivate func templateField(_ name: String) -> JSONValue? {
    if let exact = self[name] { return exact }
    func folded(_ text: String) -> String { String(text.lowercased().filter { $0 != "-" && $0 != "_" }) }
    return object?.last { folded($0.name) == folded(name) }?.value
  }

  /// The value as Go's templates print it: `[a b]`, `map[k:v]`.
  var templateText: String {
    switch self {
    case .null: return "<no value>"
    case .bool(let flag): return flag ? "true" : "false"
    case .number(let text), .string(let text): return text
    case .array(let values): return "[" + values.map(\.templateText).joined(separator: " ") + "]"
    case .object(let members):
      let sorted = members.sorted { $0.name.precedesByBytes($1.name) }
      return "map[" + sorted.map { "\($0.name):\($0.value.templateText)" }.joined(separator: " ") + "]"
    }
  }

  /// The value in one line, members sorted by name.
  var compactText: String {
    var writer = JSONWriter(.output)
    writer.value(self)
    return printable(json: writer.bytes)
  }
}
