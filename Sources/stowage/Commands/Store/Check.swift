// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `check`: what is damaged, and its deletion (cli 22.4).
enum CheckCommand {
  private static let force = OptionDefinition("--force", "-f", usage: "Remove damaged containers")
  private static let maximum = OptionDefinition(
    "--max", "-m", kind: .text(default: "24h"), usage: "Maximum allowed age for unreferenced layers")
  private static let quick = OptionDefinition("--quick", "-q", usage: "Perform only quick checks")
  private static let repair = OptionDefinition("--repair", "-r", usage: "Remove damaged images and layers")

  static let definition = CommandDefinition(
    "check", arguments: .none, usage: "Check storage consistency", options: [force, .json, maximum, quick, repair],
    isInterruptible: true
  ) { (context: CommandContext) throws(StorageError) in
    if context.face == .stowage { return try checkForPeople(context) }
    let (options, repairs, forces) = try request(context)
    let report: CheckReport
    do throws(StorageError) {
      if repairs { printRestored(try context.store.restoreRecords(isCancelled: Interruption.isRequested), context) }
      report = try context.store.check(options, isCancelled: Interruption.isRequested)
      printReport(report, context)
      if !repairs { context.console.printLeftovers(report.leftovers, asJSON: context.wantsJSON) }
    } catch {
      context.shutDown()
      throw error
    }
    // Nothing was mounted, and the driver's end would only say again what is lost.
    let isPartial = report.isPartial
    defer { if !isPartial { context.shutDown() } }
    var status = ExitStatus.success
    if repairs {
      status = try performRepair(report, forces, context)
    } else if !report.isHealthy {
      context.console.printError(summary(report))
      status = .failure
    }
    return status
  }

  /// What the options ask for.
  static func request(
    _ context: CommandContext
  ) throws(StorageError) -> (options: CheckOptions, repairs: Bool, forces: Bool) {
    var options = CheckOptions()
    let age = context.options[text: maximum]
    if !age.isEmpty {
      do throws(StorageError) { options.maximumAge = try parseDuration(age) } catch {
        throw StorageError(
          .usage, error.message, plain: "\(maximum.key) \(goQuoted(age)): must be a span such as 24h or 90m")
      }
    }
    options.comparesContents = !context.options[flag: quick]
    let forces = context.options[flag: force]
    return (options, forces || context.options[flag: repair], forces)
  }

  private static func printRestored(_ files: [RestoredRecords], _ context: CommandContext) {
    for file in files {
      context.console.printError(file.loss.text)
      context.console.printError(
        "restored: \(file.readable) records that could be read, \(file.made) made from what is on disk; "
          + "what was there is kept as \(file.kept)")
      for found in file.unproven { context.console.printError("found: \(found)") }
    }
  }

  private static func printReport(_ report: CheckReport, _ context: CommandContext) {
    let groups: [(name: String, title: String, items: [CheckReport.Item])] = [
      ("Layers", "layer", report.layers), ("ROLayers", "read-only layer", report.readOnlyLayers),
      ("Images", "image", report.images), ("ROImages", "read-only image", report.readOnlyImages),
      ("Containers", "container", report.containers),
    ]
    if context.wantsJSON {
      // The reference encodes an error as an empty object, so only the number of problems is seen.
      context.console.printJSON { writer in
        writer.beginObject()
        for group in groups {
          writer.name(group.name)
          writer.beginObject()
          for item in group.items {
            writer.name(item.id)
            writer.value(.array(item.findings.map { _ in .object([]) }))
          }
          writer.endObject()
        }
        if !report.recordLosses.isEmpty {
          writer.name("Records")
          writer.value(.array(report.recordLosses.map { .string($0.text) }))
        }
        writer.endObject()
      }
      return
    }
    for loss in report.recordLosses { context.console.print("records: \(loss.text)") }
    for group in groups {
      for item in group.items {
        context.console.print("\(group.title) \(item.id):")
        for finding in item.findings { context.console.print(" " + finding.message) }
      }
    }
  }

  static func summary(_ report: CheckReport) -> String {
    if report.recordLosses.contains(where: { $0.isPending && !$0.isElsewhere }) {
      return
        "records are lost, so nothing else was checked, and nothing is deleted; `check --repair` restores them from what "
        + "is on disk"
    }
    if report.recordLosses.contains(where: \.isPending) {
      let rest = report.isPartial ? "nothing else was checked" : "what may depend on them was not judged"
      return "records of an additional store are lost, so \(rest)"
    }
    return "\(report.layers.count) layer errors, \(report.readOnlyLayers.count) read-only layer errors, "
      + "\(report.images.count) image errors, \(report.readOnlyImages.count) read-only image errors, "
      + "\(report.containers.count) container errors"
  }

  private static func performRepair(
    _ report: CheckReport, _ forces: Bool, _ context: CommandContext
  ) throws(StorageError) -> ExitStatus {
    if report.isPartial {
      context.console.printError(summary(report))
      return .failure
    }
    let done = try context.store.repair(
      report, removesContainers: forces, isCancelled: Interruption.isRequested)
    context.console.printLeftovers(done.leftovers, asJSON: context.wantsJSON)
    if let first = done.failures.first {
      if context.wantsJSON {
        context.console.printJSON(.array(done.failures.map { _ in .object([]) }))
      } else {
        for failure in done.failures { context.console.printError(failure.message) }
      }
      context.console.printError(first.message)
      return .failure
    }
    let left = done.remaining
    if report.recordLosses.contains(where: \.isPending) {
      context.console.printError(summary(report))
      return .failure
    }
    if left.isEmpty { return .success }
    var text = "\(left.readOnlyLayers) read-only layer errors, \(left.readOnlyImages) read-only image errors"
    if !forces || left.containers > 0 { text += ", \(left.containers) container errors" }
    // Not in the reference, which deletes these.
    if left.layers + left.images > 0 {
      text = "\(left.layers) layer errors, \(left.images) image errors that may be no damage, " + text
    }
    context.console.printError(text)
    return .failure
  }
}
