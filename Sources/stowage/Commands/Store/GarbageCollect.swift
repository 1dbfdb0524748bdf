// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `gc`: what belongs to no container, image or layer (cli 22.5).
enum GarbageCollectCommand {
  static let definition = CommandDefinition(
    "gc", arguments: .none, usage: "Perform garbage collection",
    details: """
      Deletes what belongs to nothing: directories of layers, images and containers that no record names, left by programs
      that were killed; files left by interrupted writes; links to layers that are gone. Looks into the graph root and the
      image store, never into additional image stores. What another program may still be making is left alone.
      Fails if something cannot be deleted, for example an immutable file, and says what and why.
      """, options: [.json]
  ) { (context: CommandContext) throws(StorageError) in
    let report = try context.store.collectLeftovers()
    switch context.face {
    case .reference:
      if context.wantsJSON { context.console.printJSON(.string("")) }
      context.console.printLeftovers(report, asJSON: context.wantsJSON)
    case .stowage: show(report, context)
    }
    context.shutDown()
    return report.undeletable.isEmpty ? .success : .failure
  }
}

extension GarbageCollectCommand {
  private static func show(_ report: LeftoverReport, _ context: CommandContext) {
    if context.wantsJSON {
      context.console.printJSON(report.document)
    } else {
      context.console.print(report.leftovers.isEmpty ? "nothing was left over" : report.text)
      for text in report.kept { context.console.print("not removed: \(text)") }
    }
    for text in report.undeletable { context.console.printError("cannot be deleted: \(text)") }
  }
}

extension CommandContext {
  /// Ends the use of the store as `check` and `gc` do at their end: what is mounted stays so, and is told; the status is not
  /// changed. (The reference unmounts other programs' containers there.)
  func shutDown() {
    do throws(StorageError) { _ = try store.shutdown(force: false) } catch {
      console.printError("shutdown: \(error)")
    }
  }
}
