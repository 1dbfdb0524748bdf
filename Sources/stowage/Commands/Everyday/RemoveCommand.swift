// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `rm`: images and containers by their exact names.
enum RemoveCommand {
  private static let force = OptionDefinition(
    "--force", "-f", usage: "Also mounted containers, and images by ID with all their names")
  private static let dryRun = OptionDefinition("--dry-run", usage: "Only show what would go, and how many bytes")
  private static let ignore = OptionDefinition("--ignore", "-i", usage: "What is not there is no error")

  static let definition = CommandDefinition(
    "rm", arguments: .oneOrMore, synopsis: "[options [...]] ImageOrContainerNameOrID [...]",
    usage: "Remove images and containers",
    details: """
      Takes exact names and whole IDs only. An image that has other names only loses the name that is given; with the last one it
      goes, with the layers that nothing else needs. Containers that are mounted, images that containers were made from, and
      without --force containers of Podman, Buildah and CRI-O stay, since these would go on listing them. All arguments are looked at first: if one cannot be removed, nothing is.

      The exit status is 1 if something is not there, and 2 if something is in use.
      """, options: [force, dryRun, ignore, .quiet, .json]
  ) { (context: CommandContext) throws(StorageError) in
    let isDryRun = context.options[flag: dryRun]
    var plan = try context.store.planRemoval(of: context.arguments, force: context.options[flag: force])
    if context.options[flag: ignore] { plan.dropMissing() }
    guard plan.refusals.isEmpty else {
      for refusal in plan.refusals { context.console.printError(refusal.error.plainMessage) }
      if !plan.steps.isEmpty { context.console.printError("nothing was removed") }
      return .of(plan.refusals)
    }
    if isDryRun {
      plan.steps.show(plan.bytes, isDryRun: true, context)
      return .success
    }
    return try context.carryOut(plan)
  }
}

extension OptionDefinition {
  /// `--quiet, -q` of verbs that delete.
  static let quiet = OptionDefinition("--quiet", "-q", usage: "Only print the IDs of what goes")
}

extension ExitStatus {
  /// Something is in use.
  static let inUse = ExitStatus(ofChild: 2)

  /// That of refusals: what is in use counts more than what is missing, and this more than others.
  static func of(_ refusals: [RemovalPlan.Refusal]) -> ExitStatus {
    if refusals.contains(where: \.isInUse) { return .inUse }
    if refusals.contains(where: \.isMissing) { return .failure }
    return refusals.isEmpty ? .success : .usage
  }
}

extension CommandContext {
  /// Removes what is planned, and shows it.
  func carryOut(_ plan: RemovalPlan) throws(StorageError) -> ExitStatus {
    let report = try store.remove(plan)
    report.done.show(report.bytes, isDryRun: false, self)
    for refusal in report.refusals { console.printError(refusal.error.plainMessage) }
    return .of(report.refusals)
  }
}

extension [RemovalPlan.Step] {
  /// Prints what goes, or would go, and the bytes.
  func show(_ bytes: Int64, isDryRun: Bool, _ context: CommandContext) {
    let console = context.console
    if context.wantsJSON {
      return console.printJSON(
        .object([
          .init("dry-run", .bool(isDryRun)), .init("bytes", .integer(bytes)), .init("removed", .array(map(\.json))),
        ]))
    }
    let isQuiet = context.options[flag: .quiet]
    for step in self {
      if isQuiet {
        if step.isDeleted { console.print(step.subject.id) }
        continue
      }
      switch step.subject {
      case .container(let container):
        let name = container.names.first.map { " (\(printable($0)))" } ?? ""
        console.print("\(isDryRun ? "Would delete" : "Deleted"): container \(container.id)\(name)")
      case .image(let image):
        for name in step.names { console.print("\(isDryRun ? "Would untag" : "Untagged"): \(printable(name))") }
        if step.isDeleted { console.print("\(isDryRun ? "Would delete" : "Deleted"): image \(image.id)") }
      }
    }
    if !isQuiet { console.print("\(isDryRun ? "Would free" : "Freed"): \(bytesText(bytes))") }
  }
}

extension RemovalPlan.Step {
  fileprivate var json: JSONValue {
    let kind =
      switch subject {
      case .container: "container"
      case .image: "image"
      }
    return .object([
      .init("kind", .string(kind)), .init("id", .string(subject.id)),
      .init("names", .array(names.map { .string($0) })), .init("deleted", .bool(isDeleted)),
      .init("layers", .array(layers.map { .string($0.rawValue) })), .init("bytes", .integer(bytes)),
    ])
  }
}
