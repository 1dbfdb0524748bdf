// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel
import StowageStore

/// `copy`: files and directories into a layer, or out of one (cli 18.6).
enum CopyCommand {
  private static let owner = OptionDefinition("--chown", "-o", kind: .text(), usage: "Set owner on new copies")

  static let definition = CommandDefinition(
    "copy", arguments: .twoOrMore,
    synopsis: "[options [...]] [sourceLayerNameOrID:]/path [...] targetLayerNameOrID:/path",
    usage: "Copy files or directories into a layer, possibly from another layer",
    completes: [.layers, .containers, .shortImages, .files], options: [owner, .json],
    isInterruptible: true, run: run)

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    let owner = try given(context.options[text: owner]).map(parseOwner)
    guard let last = context.arguments.last else { return .failure }
    let target = try context.place(last, isTarget: true)
    var sources: [CopyPlace] = []
    for argument in context.arguments.dropLast() { sources.append(try context.place(argument, isTarget: false)) }
    try context.store.copy(
      sources, to: target, owner: owner, isCancelled: Interruption.isRequested)
    return .success
  }

  /// `UID` or `UID:GID`; the group is the user's number if it is not given.
  private static func parseOwner(_ text: String) throws(StorageError) -> CopyOwner {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    let uid = try number(String(parts[0]), "UID")
    return CopyOwner(uid: uid, gid: parts.count < 2 ? uid : try number(String(parts[1]), "GID"))
  }

  private static func number(_ text: String, _ kind: String) throws(StorageError) -> UInt32 {
    let isNumber = !text.isEmpty && text.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    if isNumber, let number = UInt32(text) { return number }
    let problem = isNumber ? "value out of range" : "invalid syntax"
    throw StorageError(
      .usage, "bad \(kind): strconv.ParseUint: parsing \(goQuoted(text)): \(problem)",
      plain: "--chown: \(goQuoted(text)) is \(isNumber ? "too great a number" : "no number"), and no \(kind)")
  }
}
