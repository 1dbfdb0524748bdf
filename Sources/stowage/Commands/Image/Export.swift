// SPDX-License-Identifier: Apache-2.0
import Glibc
import StowageCommandLine
import StowageModel
import StowageOCI
import StowageStore

/// `export`: all files of a container or an image as one tar archive.
enum ExportCommand {
  private static let output = OptionDefinition(
    "--output", "-o", kind: .text(), usage: "Write to this file instead of stdout")

  static let definition = CommandDefinition(
    "export", arguments: .one, synopsis: "[options [...]] ContainerOrImageNameOrID",
    usage: "Write all files of a container or an image as a tar archive",
    details: """
      The archive has the files as the container sees them, with its owners, hard links, extended attributes and holes; it does not
      know of layers, names or configuration ("save" does). "import" makes an image of it. A file appears when it is complete. A
      running container is not stopped: what it writes meanwhile may be in the archive or not.
      """, options: [output], isInterruptible: true
  ) { (context: CommandContext) throws(StorageError) in
    let path = given(context.options[text: output])
    if path == nil || path == "-", isatty(STDOUT_FILENO) == 1 {
      throw StorageError(
        .usage, "export writes an archive, which is nothing for a terminal: use --output, or redirect it")
    }
    let target = path.flatMap { $0 == "-" ? nil : ImageTarget.path($0) } ?? .standardOutput
    let store = context.store
    switch try store.snapshot().object(named: context.arguments[0], among: [.container, .image]) {
    case .container(let container):
      try store.containers.export(container.id.rawValue, to: target, isCancelled: Interruption.isRequested)
    case .image(let image):
      try store.images.export(image.id.rawValue, to: target, isCancelled: Interruption.isRequested)
    case .layer: throw StorageError(.containerUnknown, subject: context.arguments[0])
    }
    return .success
  }
}
