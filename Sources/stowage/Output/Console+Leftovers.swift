// SPDX-License-Identifier: Apache-2.0
import StowageModel
import StowageStore

extension Console {
  /// What this program reports in addition to the reference. It goes to standard error, so that standard output stays exactly the
  /// reference's; and nothing is written if nothing was found.
  ///
  /// Tells what was left over: a line in words, or a JSON object.
  func printLeftovers(_ report: LeftoverReport, asJSON: Bool) {
    if !report.leftovers.isEmpty {
      printError(asJSON ? jsonText(report.document) : report.text)
    }
    for text in report.kept where !asJSON || report.leftovers.isEmpty { printError("not removed: \(text)") }
    for text in report.undeletable { printError("cannot be deleted: \(text)") }
  }

  private func jsonText(_ value: JSONValue) -> String {
    var writer = JSONWriter(.output)
    writer.value(value)
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}

extension LeftoverReport {
  /// What was found and what of it was deleted, in one line.
  var text: String {
    let counts = Leftover.Kind.allCases.compactMap { kind -> String? in
      let count = leftovers.count { $0.kind == kind }
      return count == 0 ? nil : "\(count) × \(kind.rawValue)"
    }
    let found =
      "found \(leftovers.count) leftovers, \(bytesText(bytesFound)) (\(counts.joined(separator: ", ")))"
    return numberFreed == 0 ? found : found + "; freed \(numberFreed), \(bytesText(bytesFreed))"
  }

  /// The same for programs, with each of them.
  var document: JSONValue {
    func total(_ items: Int, _ bytes: Int64) -> JSONValue {
      .object([.init("items", .integer(items)), .init("bytes", .integer(bytes))])
    }
    let list = leftovers.map { leftover in
      JSONValue.object([
        .init("kind", .string(leftover.kind.rawValue)), .init("path", .string(leftover.path)),
        .init("bytes", .integer(leftover.bytes)), .init("freed", .bool(leftover.isFreed)),
      ])
    }
    return .object([
      .init("found", total(leftovers.count, bytesFound)), .init("freed", total(numberFreed, bytesFreed)),
      .init("leftovers", .array(list)), .init("kept", .array(kept.map { .string($0) })),
    ])
  }
}
