// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore
import StowageSystem
import SystemPackage

/// What became of one argument of `mount`, `unmount` or `mounted` (cli 21).
private struct Outcome {
  let argument: String
  /// Only for `mount`; empty after a failure.
  var mountPoint: String?
  /// Whether it is mounted after `unmount` or `mounted`; nil if that is not known.
  var isMounted: Bool?
  /// Empty on success.
  var problem = ""

  /// Prints all as one list; the argument as given is the `id`.
  static func printJSON(_ outcomes: [Outcome], _ console: Console) {
    console.printJSON(list: outcomes, whenEmpty: .emptyList) { writer, outcome in
      writer.beginObject()
      writer.name("id")
      writer.string(outcome.argument)
      if let mountPoint = outcome.mountPoint {
        writer.name("mountpoint")
        writer.string(mountPoint)
      }
      writer.name("error")
      writer.string(outcome.problem)
      writer.endObject()
    }
  }
}

/// `mount`: each argument gives one line, an empty one for a failure (cli 21.1).
enum MountCommand {
  private static let options = OptionDefinition("--opt", "-o", kind: .text(), usage: "Mount Options")
  private static let label = OptionDefinition("--label", "-l", kind: .text(), usage: "Mount Label")
  private static let readOnly = OptionDefinition("--read-only", "--ro", "-r", usage: "Mount image readonly")
  private static let dryRun = OptionDefinition(
    "--dry-run", usage: "Only show the steps that the mount would take", isAdditional: true)

  static let definition = CommandDefinition(
    "mount", arguments: .oneOrMore, synopsis: "[options [...]] LayerOrContainerNameOrID",
    usage: "Mount a layer or container", options: [options, label, readOnly, dryRun, .json], run: run)

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    if context.options[flag: dryRun] { return try plan(context) }
    var outcomes: [Outcome] = []
    for argument in context.arguments {
      var outcome = Outcome(argument: argument, mountPoint: "")
      do throws(StorageError) {
        outcome.mountPoint = try mount(argument, context)
      } catch {
        outcome.problem = error.text(for: context.face)
        if !context.wantsJSON { context.console.printError("\(outcome.problem) while mounting \(argument)") }
      }
      if !context.wantsJSON { context.console.print(outcome.mountPoint ?? "") }
      outcomes.append(outcome)
    }
    if context.wantsJSON { Outcome.printJSON(outcomes, context.console) }
    return outcomes.allSatisfy(\.problem.isEmpty) ? .success : .failure
  }

  private static func mount(_ argument: String, _ context: CommandContext) throws(StorageError) -> String {
    let (store, label, isImage) = (context.store, context.options[text: label], context.options[flag: readOnly])
    let name = isImage ? try context.image(argument) : argument
    let path =
      isImage ? try store.mountImage(name, options: ["ro"], label: label) : try store.mount(name, label: label)
    guard context.isInPassingNamespace, MountTable.isMountPoint(FilePath(path)) else { return path }
    // Nobody but this command would see it, and it must not stay counted, or Podman would never unmount it again.
    if isImage { _ = try store.unmountImage(name) } else { _ = try store.unmount(name) }
    throw StorageError(
      .notSupported,
      "without the rights of root a mount ends with the command that makes it: run \"unshare\", and mount in its shell")
  }

  /// Shows for each argument where it would be mounted, and the steps.
  private static func plan(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    let label = context.options[text: label]
    var plans: [JSONValue] = []
    for argument in context.arguments {
      let plan =
        context.options[flag: readOnly]
        ? try context.store.planImageMount(try context.image(argument), options: ["ro"], label: label)
        : try context.store.planMount(argument, label: label)
      plans.append(
        .object([
          .init("id", .string(argument)), .init("mountpoint", .string(plan.path)),
          .init("steps", .array(plan.steps.map { .string($0) })),
        ]))
      if context.wantsJSON { continue }
      context.console.print(plan.path)
      for step in plan.steps { context.console.print("  " + step) }
    }
    if context.wantsJSON { context.console.printJSON(.array(plans)) }
    return .success
  }
}

/// `unmount`: a container or layer, else an image; of two failures the first one counts (cli 21.2).
enum UnmountCommand {
  static let force = OptionDefinition("--force", "-f", usage: "Force the umount")

  static let definition = CommandDefinition(
    "unmount", "umount", arguments: .oneOrMore, synopsis: "LayerOrContainerNameOrID",
    usage: "Unmount an image, layer or container", options: [force, .json], run: run)

  @Sendable static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    var outcomes: [Outcome] = []
    let force = context.options[flag: force]
    for argument in context.arguments {
      var outcome = Outcome(argument: argument)
      do throws(StorageError) {
        let isStillMounted = try context.store.unmount(argument, force: force)
        outcome.isMounted = isStillMounted
        if !isStillMounted, !context.printsDocument { context.console.print("\(argument) mountpoint unmounted") }
      } catch {
        // The first error is the one to tell if it is no image either.
        outcome.isMounted = try? context.store.unmountImage(try context.image(argument), force: force)
        if outcome.isMounted == nil { outcome.problem = error.text(for: context.face) }
      }
      outcomes.append(outcome)
    }
    return report(outcomes, "while unmounting %", context)
  }
}

/// `mounted`: a line per mounted container or layer; the status only tells whether all are known (cli 21.3).
enum MountedCommand {
  static let definition = CommandDefinition(
    "mounted", arguments: .oneOrMore, synopsis: "LayerOrContainerNameOrID",
    usage: "Check if a file system is mounted", options: [.json], run: run)

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    var outcomes: [Outcome] = []
    for argument in context.arguments {
      var outcome = Outcome(argument: argument)
      do throws(StorageError) {
        let isMounted = try context.store.mountCount(of: argument) > 0
        outcome.isMounted = isMounted
        if isMounted, !context.printsDocument { context.console.print("\(argument) mounted") }
      } catch {
        outcome.problem = error.text(for: context.face)
      }
      outcomes.append(outcome)
    }
    return report(outcomes, "checking if % is mounted", context)
  }
}

extension CommandContext {
  /// The image that an argument means, as `stowage` by a short name, too.
  fileprivate func image(_ argument: String) throws(StorageError) -> String {
    switch face {
    case .reference: argument
    case .stowage: try store.imageID(named: argument).rawValue
    }
  }

  /// Whether standard output is one JSON document: under the reference's name lines for people stand in front of it.
  fileprivate var printsDocument: Bool { wantsJSON && face == .stowage }
}

/// Reports failures behind all plain lines; `%` stands for the argument.
private func report(_ outcomes: [Outcome], _ phrase: String, _ context: CommandContext) -> ExitStatus {
  if context.printsDocument {
    context.console.printJSON(
      .array(
        outcomes.map { outcome in
          .object([
            .init("id", .string(outcome.argument)), .init("mounted", outcome.isMounted.map { .bool($0) } ?? .null),
            .init("error", .string(outcome.problem)),
          ])
        }))
  } else if context.wantsJSON {
    Outcome.printJSON(outcomes, context.console)
  } else {
    let parts = phrase.split(separator: "%", omittingEmptySubsequences: false)
    for outcome in outcomes where !outcome.problem.isEmpty {
      context.console.printError("\(outcome.problem) \(parts.joined(separator: outcome.argument))")
    }
  }
  return outcomes.allSatisfy(\.problem.isEmpty) ? .success : .failure
}
