// SPDX-License-Identifier: Apache-2.0

/// A JSON text as a value. Numbers keep their digits, objects their order and repeated members.
public enum JSONValue: Sendable, Hashable {
  /// `null`
  case null
  /// `true` or `false`
  case bool(Bool)
  /// A number, with its text as read.
  case number(String)
  /// A string; invalid UTF-8 has become U+FFFD.
  case string(String)
  /// An array.
  case array([JSONValue])
  /// An object, in the order of the text.
  case object([Member])

  /// One member of an object.
  public struct Member: Sendable, Hashable {
    /// The name.
    public let name: String
    /// The value.
    public let value: JSONValue

    /// Makes a member.
    public init(_ name: String, _ value: JSONValue) {
      self.name = name
      self.value = value
    }
  }

  /// The value of a member with exactly this name; the last one if it is repeated. Nil if there is none or this is no
  /// object.
  public subscript(name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.last { $0.name.hasSameBytes(as: name) }?.value
  }

  /// The text of a string value, else nil.
  public var string: String? { if case .string(let text) = self { text } else { nil } }

  /// The value of a boolean, else nil.
  public var bool: Bool? { if case .bool(let value) = self { value } else { nil } }

  /// The elements of an array, else nil.
  public var array: [JSONValue]? { if case .array(let values) = self { values } else { nil } }

  /// The members of an object, else nil.
  public var object: [Member]? { if case .object(let members) = self { members } else { nil } }

  /// A number without fraction and exponent that fits 64 bits, else nil.
  public var integer: Int64? { if case .number(let text) = self { Int64(text) } else { nil } }

  /// A number.
  public static func integer(_ value: some BinaryInteger) -> JSONValue { .number(String(value)) }

  /// The same value with the members of objects in the order in which they are written, each name once (the last one).
  package var sorted: JSONValue {
    switch self {
    case .array(let values): return .array(values.map(\.sorted))
    case .object(let members):
      var table = KeyedValues<JSONValue>()
      for member in members { table[member.name] = member.value.sorted }
      return .object(table.entries.map { Member($0.key, $0.value) })
    default: return self
    }
  }
}
