import Glibc
// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `prune`: images that nobody needs.
enum PruneCommand {
  private static let all = OptionDefinition(
    "--all", "-a", usage: "All images without containers, not only those without names")
  private static let filter = OptionDefinition(
    "--filter", kind: .list, usage: "Only images that meet this: until=TIME, label=NAME[=VALUE], label!=NAME[=VALUE]",
    values: ["until=", "label=", "label!="])
  private static let keep = OptionDefinition(
    "--keep-storage", kind: .text(), usage: "Only so many, oldest first, that images take no more than this (20G)")
  private static let force = OptionDefinition("--force", "-f", usage: "Do not ask")
  private static let dryRun = OptionDefinition("--dry-run", usage: "Only show what would go, and how many bytes")

  static let definition = CommandDefinition(
    "prune", arguments: .none, usage: "Delete images that nobody needs",
    details: """
      Deletes images without names, or with --all all that no container was made from, and the layers that nothing else needs.
      Containers, their images and left-overs stay ("gc" deletes these), and so does what another program may just be loading: an
      image without name of the last ten seconds, unless until=TIME is given. TIME is a span such as 24h, which images must be older
      than, or a time such as 2026-01-31T00:00:00Z. On a terminal it asks first; without one it needs --force.
      """, options: [all, filter, keep, force, dryRun, .quiet, .json]
  ) { (context: CommandContext) throws(StorageError) in
    let plan = try context.store.planPrune(try request(context.options))
    if context.options[flag: dryRun] {
      plan.steps.show(plan.bytes, isDryRun: true, context)
      return .success
    }
    if !context.options[flag: force], !plan.steps.isEmpty {
      guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else {
        context.console.printError(
          "\(summary(plan)) would be deleted, and there is no terminal to ask on: use --force, or --dry-run to see them"
        )
        return .usage
      }
      context.console.writeError("Delete \(summary(plan)), \(bytesText(plan.bytes))? [y/N] ")
      let answer = readLine()?.lowercased() ?? ""
      guard answer == "y" || answer == "yes" else {
        context.console.printError("nothing was deleted")
        return .success
      }
    }
    return try context.carryOut(plan)
  }

  private static func summary(_ plan: RemovalPlan) -> String {
    plan.steps.count == 1 ? "1 image" : "\(plan.steps.count) images"
  }

  private static func request(_ options: OptionValues) throws(StorageError) -> PruneRequest {
    var request = PruneRequest()
    request.all = options[flag: all]
    for text in options[list: filter] { try add(text, to: &request) }
    if let text = given(options[text: keep]) {
      guard let bytes = parseSize(text) else {
        throw StorageError(
          .usage, "--keep-storage \(goQuoted(text)): a number of bytes, or one with K, M, G or T as in 20G")
      }
      request.keptBytes = bytes
    }
    return request
  }

  private static func add(_ text: String, to request: inout PruneRequest) throws(StorageError) {
    let (name, rest) = halves(of: text)
    switch (name, rest) {
    case ("until", let value?): request.until = try time(value)
    case ("label", let value?), ("label!", let value?):
      let (label, wanted) = halves(of: value)
      request.labels.append(.init(label, value: wanted, isExcluded: name == "label!"))
    default:
      throw StorageError(
        .usage, "--filter \(goQuoted(text)): must be until=TIME, label=NAME[=VALUE] or label!=NAME[=VALUE]")
    }
  }

  /// What is before the first equals sign, and behind it.
  private static func halves(of text: String) -> (String, String?) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    return (parts[0], parts.count > 1 ? parts[1] : nil)
  }

  /// A time, or so long ago.
  private static func time(_ text: String) throws(StorageError) -> Timestamp {
    if let time = Timestamp(parsing: text) { return time }
    if let seconds = Int64(text), seconds >= 0 { return Timestamp(seconds: seconds) }
    // Told below, with what is possible. What lies ahead would be true of all images.
    guard let span = try? parseDuration(text), span >= 0 else {
      throw StorageError(
        .usage, "--filter until=\(text): a span such as 24h or 90m, or a time such as 2026-01-31T00:00:00Z")
    }
    let now = Timestamp.now()
    return Timestamp(seconds: now.seconds - span, nanoseconds: now.nanoseconds)
  }
}
