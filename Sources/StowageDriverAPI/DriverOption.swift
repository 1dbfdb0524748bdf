// SPDX-License-Identifier: Apache-2.0

package import StowageModel

/// One driver option, split into its parts (graph-drivers 1.7).
package struct DriverOption: Hashable, Sendable {
  /// The key without driver prefix, in lower case.
  package let key: String
  /// The value without surrounding white space.
  package let value: String
  /// The option as given, for messages.
  package let text: String

  /// The options among `options` that are meant for the driver known as one of `names`, in order.
  ///
  /// Options for other drivers are skipped; those without prefix apply to any.
  ///
  /// - Parameter drivers: the names an option may be prefixed with.
  /// - Throws: `invalidOption`: `unable to parse key/value option: …`, `unknown driver "…" in option "…"`.
  package static func parse(
    _ options: [String], for names: Set<String>, among drivers: Set<String>
  ) throws(StorageError) -> [DriverOption] {
    var result: [DriverOption] = []
    for text in options {
      guard let equals = text.firstIndex(of: "=") else {
        throw StorageError(.invalidOption, "unable to parse key/value option: \(text)", subject: text)
      }
      let key = text[..<equals].trimmedText.lowercased()
      let value = text[text.index(after: equals)...].trimmedText
      guard let dot = key.firstIndex(of: ".") else {
        result.append(DriverOption(key: key, value: value, text: text))
        continue
      }
      let prefix = String(key[..<dot])
      let rest = String(key[key.index(after: dot)...])
      guard prefix.isEmpty || drivers.contains(prefix) else {
        throw StorageError(
          .invalidOption, "unknown driver \(goQuoted(prefix)) in option \(goQuoted(text))", subject: text)
      }
      if prefix.isEmpty || names.contains(prefix) {
        result.append(DriverOption(key: rest, value: value, text: text))
      }
    }
    return result
  }

  /// The error for a key the driver does not know.
  package var unknown: StorageError {
    StorageError(.invalidOption, "unknown option \(goQuoted(key)) (\(goQuoted(text)))")
  }

  /// The value as a boolean.
  ///
  /// - Throws: `invalidOption` with the text of a failed conversion.
  package func boolean() throws(StorageError) -> Bool {
    switch value {
    case "1", "t", "T", "TRUE", "true", "True": return true
    case "0", "f", "F", "FALSE", "false", "False": return false
    default:
      throw StorageError(
        .invalidOption, "strconv.ParseBool: parsing \(goQuoted(value)): invalid syntax",
        plain: "\(goQuoted(value)) is neither true nor false")
    }
  }

  /// Runs what obeys the option; an error then names the option as its subject.
  package func obeyed(_ body: (DriverOption) throws(StorageError) -> Void) throws(StorageError) {
    do throws(StorageError) { try body(self) } catch {
      throw StorageError(
        error.code, error.message, plain: error.plainMessage, subject: text, path: error.path, cause: error.cause)
    }
  }

  /// The value as a number of a type, without prefix.
  ///
  /// - Parameter function: what messages call the conversion, `ParseInt` or `ParseUint`.
  /// - Throws: `invalidOption` with the text of a failed conversion.
  package func number<Number: FixedWidthInteger>(
    _: Number.Type, radix: Int = 10, function: String
  ) throws(StorageError) -> Number {
    if let number = Number(value, radix: radix), value.utf8.first != UInt8(ascii: "+") || Number.isSigned {
      return number
    }
    let digits =
      Number.isSigned ? value.utf8.drop { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") } : value.utf8[...]
    let isNumber =
      !digits.isEmpty && digits.allSatisfy { byte in Int(String(decoding: [byte], as: UTF8.self), radix: radix) != nil }
    throw StorageError(
      .invalidOption,
      "strconv.\(function): parsing \(goQuoted(value)): \(isNumber ? "value out of range" : "invalid syntax")",
      plain: "\(goQuoted(value)) is \(isNumber ? "too great a number" : radix == 8 ? "no octal number" : "no number")")
  }

  /// The value as a list split at commas, empty elements left out.
  package var list: [String] {
    value.split(separator: ",", omittingEmptySubsequences: true).map(String.init)
  }
}

extension Array where Element == DriverOption {
  /// The value of the last option with a key, or `nil`.
  package func last(_ key: String) -> String? { last { $0.key == key }?.value }
}
