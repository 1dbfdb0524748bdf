// SPDX-License-Identifier: Apache-2.0
import Stowage
import StowageCommandLine
import StowageConfig
import StowageModel
import StowageStore
import StowageSystem
import SystemPackage

/// `relocate-root`: what leads to a graph root is led to where that is now, or will be.
enum RelocateRootCommand {
  private static let target = OptionDefinition(
    "--to", kind: .text(), usage: "Move the graph root there first; on the same file system")
  private static let dryRun = OptionDefinition("--dry-run", usage: "Only show what would be done")

  static let definition = CommandDefinition(
    "relocate-root", arguments: .none, usage: "Make everything lead to where the graph root is now",
    details: """
      For a graph root that was moved: renamed, mounted elsewhere, or copied to another disk. Run it with the new path as graph
      root, and with the same image store and run root as before. It leads the registration in the image store to the new path,
      so that other graph roots go on sparing what this one needs, and drops records of mounts that are gone. A copy whose
      original is still there gets a registration of its own.

      With --to it moves the graph root itself, which is given by its old path. Nothing may be mounted. Interrupted or killed, the
      same command goes on. Then change graphroot in storage.conf.
      """, options: [target, dryRun, .json], beforeStore: beforeOpening
  ) { (context: CommandContext) throws(StorageError) in
    let options = context.options
    let isDryRun = options[flag: dryRun]
    let target = options[text: target]
    let done =
      target.isEmpty
      ? try context.store.relocateRoot(isDryRun: isDryRun)
      : try context.store.moveRoot(to: target, isDryRun: isDryRun)
    show(done, isDryRun: isDryRun, asJSON: context.wantsJSON, context.console)
    return .success
  }

  /// A graph root that is not there must not be made; one that was moved already, by a run that was killed, is led to its new
  /// path.
  @Sendable private static func beforeOpening(
    _ settings: StoreSettings, _ options: OptionValues, _ arguments: [String], _ console: Console
  ) throws(StorageError) -> ExitStatus? {
    if options.isGiven(target), options[text: target].isEmpty {
      throw StorageError(.usage, "--to is empty: give the path that the graph root is to be moved to")
    }
    var store = settings.options
    do throws(Errno) {
      _ = try Syscall.stat(FilePath(store.graphRoot))
      return nil
    } catch .noSuchFileOrDirectory {} catch {
      throw StorageError(
        .system, "stat \(store.graphRoot): \(error.referenceText)", path: store.graphRoot, cause: error)
    }
    let target = options[text: target]
    guard !target.isEmpty, Syscall.exists(FilePath(target).appending("storage.lock")) else {
      throw StorageError(.usage, "graph root \(store.graphRoot) is not there: give the path where it is now")
    }
    store.graphRoot = target
    store.lockTimeout = try LockWaits.limit(options[text: GlobalOptions.lockTimeout])
    let isDryRun = options[flag: dryRun]
    let done = try Store.open(store).relocateRoot(isDryRun: isDryRun)
    show(done, isDryRun: isDryRun, asJSON: options[flag: .json], console)
    return .success
  }

  private static func show(_ done: RootRelocation, isDryRun: Bool, asJSON: Bool, _ console: Console) {
    if asJSON { return console.printJSON(done.json) }
    let verb = isDryRun ? "would be " : ""
    if let from = done.movedFrom { console.print("graph root: \(verb)moved from \(from) to \(done.graphRoot)") }
    switch done.registration {
    case .none: break
    case .kept: console.print("registration in \(done.imageStore): leads to \(done.graphRoot) already")
    case .made: console.print("registration in \(done.imageStore): \(verb)made")
    case .led(let from):
      console.print("registration in \(done.imageStore): \(verb)led from \(from) to \(done.graphRoot)")
    case .separated(let from):
      console.print("registration in \(done.imageStore): this is a copy of \(from): \(verb)given its own")
    }
    for path in done.endedMounts { console.print("record of a mount at \(path): \(verb)dropped") }
    for path in done.dependents {
      console.print(
        "graph root \(path) uses this one as its image store: its configuration must name \(done.graphRoot)")
    }
    if let old = done.oldPath, done.hasPodmanDatabase {
      console.print(
        "Podman goes on using \(old), which its database names: let a symbolic link or a bind mount lead from there to "
          + done.graphRoot)
    }
    if done.isNothing { console.print("nothing leads to graph root \(done.graphRoot)") }
  }
}

extension RootRelocation {
  /// Where the graph root was, if it is elsewhere now.
  fileprivate var oldPath: String? {
    if let movedFrom { return movedFrom }
    if case .led(let from) = registration { return from }
    return nil
  }

  fileprivate var isNothing: Bool {
    movedFrom == nil && registration == .none && endedMounts.isEmpty && dependents.isEmpty
  }

  fileprivate var json: JSONValue {
    let (state, from): (String, String?) =
      switch registration {
      case .none: ("none", nil)
      case .made: ("made", nil)
      case .kept: ("kept", nil)
      case .led(let from): ("led", from)
      case .separated(let from): ("separated", from)
      }
    return .object([
      .init("graph-root", .string(graphRoot)), .init("moved-from", .string(movedFrom ?? "")),
      .init("image-store", .string(imageStore)), .init("registration", .string(state)),
      .init("registered-as", .string(from ?? "")),
      .init("ended-mounts", .array(endedMounts.map { .string($0) })),
      .init("dependents", .array(dependents.map { .string($0) })), .init("podman-database", .bool(hasPodmanDatabase)),
    ])
  }
}
