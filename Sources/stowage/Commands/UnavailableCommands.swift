// SPDX-License-Identifier: Apache-2.0
import StowageModel

/// What a command that is known but not part of this release answers; exit status 1.
private func unavailable(_ name: String) -> CommandDefinition.Action {
  { (_: CommandContext) throws(StorageError) -> ExitStatus in
    throw StorageError(.notSupported, "the command \"\(name)\" is not yet available in this release of Stowage")
  }
}

enum ApplyDiffUsingStagingCommand {
  static let definition = CommandDefinition(
    "applydiff-using-staging-dir", arguments: .two, synopsis: "layerNameOrID directory",
    usage: "Apply a diff to a layer using a staging directory", run: unavailable("applydiff-using-staging-dir"))
}
