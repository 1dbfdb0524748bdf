// SPDX-License-Identifier: Apache-2.0
import StowageModel
import StowageStore

/// What this program reports in addition to the reference. It goes to standard error, so that standard output stays exactly
/// the reference's; and nothing is written if nothing was found.
extension Console {
  /// Tells what was left over: a line in words, or a JSON object.
  func printLeftovers(_ report: LeftoverReport, asJSON: Bool) {
    if !report.leftovers.isEmpty {
      printError(asJSON ? leftoversJSON(report) : leftoversText(report))
    }
    for text in report.kept where !asJSON || report.leftovers.isEmpty { printError("not removed: \(text)") }
    for text in report.undeletable { printError("cannot be deleted: \(text)") }
  }

  private func leftoversText(_ report: LeftoverReport) -> String {
    let counts = Leftover.Kind.allCases.compactMap { kind -> String? in
      let count = report.leftovers.count { $0.kind == kind }
      return count == 0 ? nil : "\(count) × \(kind.rawValue)"
    }
    let found =
      "found \(report.leftovers.count) leftovers, \(bytesText(report.bytesFound)) (\(counts.joined(separator: ", ")))"
    return report.numberFreed == 0
      ? found : found + "; freed \(report.numberFreed), \(bytesText(report.bytesFreed))"
  }

  private func leftoversJSON(_ report: LeftoverReport) -> String {
    func total(_ items: Int, _ bytes: Int64) -> JSONValue {
      .object([.init("items", .integer(items)), .init("bytes", .integer(bytes))])
    }
    let list = report.leftovers.map { leftover in
      JSONValue.object([
        .init("kind", .string(leftover.kind.rawValue)), .init("path", .string(leftover.path)),
        .init("bytes", .integer(leftover.bytes)), .init("freed", .bool(leftover.isFreed)),
      ])
    }
    var writer = JSONWriter(.output)
    writer.value(
      .object([
        .init("found", total(report.leftovers.count, report.bytesFound)),
        .init("freed", total(report.numberFreed, report.bytesFreed)), .init("leftovers", .array(list)),
        .init("kept", .array(report.kept.map { .string($0) })),
      ]))
    return String(decoding: writer.bytes, as: UTF8.self)
  }
}
