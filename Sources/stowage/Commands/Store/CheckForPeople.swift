// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `check` as `stowage` shows it: a line for each damaged object, or one JSON document.
extension CheckCommand {
  static func checkForPeople(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    let (options, repairs, forces) = try request(context)
    let isCancelled: @Sendable () -> Bool = { Interruption.isRequested() }
    let restored = repairs ? try context.store.restoreRecords(isCancelled: isCancelled) : []
    let report = try context.store.check(options, isCancelled: isCancelled)
    var outcome = CheckOutcome(report, restored, try context.store.snapshot())
    defer { if !report.isPartial { context.shutDown() } }
    if repairs, !report.isPartial {
      let done = try context.store.repair(report, removesContainers: forces, isCancelled: isCancelled)
      outcome.add(done, try context.store.snapshot())
    }
    if context.wantsJSON {
      context.console.printJSON(outcome.document)
    } else {
      for line in outcome.lines { context.console.print(line) }
    }
    for failure in outcome.failures { context.console.printError(failure) }
    if report.recordLosses.contains(where: \.isPending) { context.console.printError(summary(report)) }
    return outcome.isWell ? .success : .failure
  }
}

/// What a check found, and what repair did.
struct CheckOutcome {
  /// A damaged object.
  struct Damage {
    let kind: String
    let id: String
    /// What people know it by: its names, or those of images with the layer.
    let names: [String]
    let problems: [String]
    let isReadOnly: Bool
    var isDeleted = false
  }

  private let report: CheckReport
  private let restored: [RestoredRecords]
  private(set) var damage: [Damage] = []
  private(set) var failures: [String] = []
  /// What is no damage, and in the way of other programs.
  private var withoutManifest: [ImageInfo]
  private var leftovers: LeftoverReport
  private var isRepaired = false

  init(_ report: CheckReport, _ restored: [RestoredRecords], _ records: StoreSnapshot) {
    self.report = report
    self.restored = restored
    leftovers = report.leftovers
    withoutManifest = records.images.filter { !$0.isReadOnly && !$0.record.bigDataNames.contains("manifest") }
    let names = ObjectNames(records)
    for (kind, items, isReadOnly) in [
      ("layer", report.layers, false), ("layer", report.readOnlyLayers, true), ("image", report.images, false),
      ("image", report.readOnlyImages, true), ("container", report.containers, false),
    ] {
      damage += items.map { item in
        // Whose problem it is stands in front of them all.
        let problems = item.findings.map { finding in
          let subject = "\(kind) \(item.id): "
          return finding.message.hasPrefix(subject) ? String(finding.message.dropFirst(subject.count)) : finding.message
        }
        return Damage(
          kind: kind, id: item.id, names: names.names(of: item.id, kind), problems: problems, isReadOnly: isReadOnly)
      }
    }
  }

  /// Takes in what repair did.
  ///
  /// - Parameter records: as they are afterwards.
  mutating func add(_ done: RepairReport, _ records: StoreSnapshot) {
    isRepaired = true
    leftovers = done.leftovers
    failures += done.failures.map(\.plainMessage)
    let left = Set(
      records.layers.map(\.id.rawValue) + records.images.map(\.id.rawValue) + records.containers.map(\.id.rawValue))
    withoutManifest.removeAll { !left.contains($0.id.rawValue) }
    for index in damage.indices where !damage[index].isReadOnly {
      damage[index].isDeleted = !left.contains(damage[index].id)
    }
  }

  /// Whether nothing is wrong any more.
  var isWell: Bool {
    failures.isEmpty && leftovers.undeletable.isEmpty && damage.allSatisfy(\.isDeleted)
      && !report.recordLosses.contains(where: \.isPending)
  }

  /// For people, in order.
  var lines: [String] {
    var lines = restored.flatMap { file in
      [
        "\(file.loss.text): restored \(file.readable) records that could be read and \(file.made) from what is on disk; "
          + "what was there is kept as \(file.kept)"
      ] + file.unproven.map { "found, and kept: \($0)" }
    }
    lines += report.recordLosses.filter { $0.isPending || restored.isEmpty }.map { "records: \($0.text)" }
    lines += damage.map(\.line)
    if !leftovers.leftovers.isEmpty { lines.append(leftovers.text) }
    lines += leftovers.kept.map { "not removed: \($0)" }
    lines += leftovers.undeletable.map { "cannot be deleted: \($0)" }
    let areRecordsWhole = !report.isPartial && !report.recordLosses.contains(where: \.isPending)
    if damage.isEmpty, areRecordsWhole { lines.append("no damage found") }
    let repairable = damage.contains { !$0.isReadOnly && !$0.isDeleted }
    lines += withoutManifest.map { "note: \($0.withoutManifest)" }
    if repairable, !isRepaired { lines.append("\"check --repair\" deletes what is damaged, but for containers") }
    return lines
  }

  /// For programs.
  var document: JSONValue {
    func list(_ kind: String) -> JSONValue { .array(damage.filter { $0.kind == kind }.map(\.document)) }
    func texts(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }
    return .object([
      .init("healthy", .bool(isWell)), .init("complete", .bool(!report.isPartial)),
      .init("records", texts(report.recordLosses.map(\.text))), .init("restored", texts(restored.map(\.loss.text))),
      .init("found", texts(restored.flatMap(\.unproven))),
      .init("layers", list("layer")), .init("images", list("image")), .init("containers", list("container")),
      .init("leftovers", leftovers.document), .init("undeletable", texts(leftovers.undeletable)),
      .init("failures", texts(failures)), .init("notes", texts(withoutManifest.map(\.withoutManifest))),
    ])
  }
}

extension CheckOutcome.Damage {
  /// One line, with the first problems.
  fileprivate var line: String {
    let shown = problems.prefix(3).joined(separator: "; ")
    let more = problems.count > 3 ? "; and \(problems.count - 3) more" : ""
    let known = names.isEmpty ? "" : " (\(names.joined(separator: ", ")))"
    let end = isDeleted ? ": deleted" : isReadOnly ? ": in an additional store, which is never changed" : ""
    return "\(kind) \(id.count == 64 ? String(id.prefix(12)) : id)\(known): \(shown)\(more)\(end)"
  }

  fileprivate var document: JSONValue {
    .object([
      .init("id", .string(id)), .init("names", .array(names.map { .string($0) })),
      .init("problems", .array(problems.map { .string($0) })), .init("readOnly", .bool(isReadOnly)),
      .init("deleted", .bool(isDeleted)),
    ])
  }
}

/// What people call objects.
struct ObjectNames {
  private var byID: [String: [String]] = [:]

  init(_ records: StoreSnapshot) {
    for container in records.containers { byID["container " + container.id.rawValue] = container.names }
    let parents = Dictionary(records.layers.map { ($0.id, $0.record.parent) }) { first, _ in first }
    for image in records.images {
      byID["image " + image.id.rawValue] = image.record.names
      var (next, seen): (LayerID?, Set<LayerID>) = (image.record.layer, [])
      while let id = next, seen.insert(id).inserted {
        byID["layer " + id.rawValue, default: []] += image.record.names.prefix(1).map { "of \($0)" }
        next = parents[id] ?? nil
      }
    }
  }

  /// At most three.
  func names(of id: String, _ kind: String) -> [String] { Array((byID["\(kind) \(id)"] ?? []).prefix(3)) }
}
