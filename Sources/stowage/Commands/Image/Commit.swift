// SPDX-License-Identifier: Apache-2.0
import Glibc
import StowageCommandLine
import StowageModel
import StowageOCI
import StowageStore

/// `commit` and `import`: new images of a container, or of an archive of files. What they make follows `podman commit`.
enum CommitCommand {
  private static let author = OptionDefinition("--author", "-a", kind: .text(), usage: "Who makes the image")
  private static let message = OptionDefinition("--message", "-m", kind: .text(), usage: "A remark for its history")
  private static let change = OptionDefinition(
    "--change", "-c", kind: .list,
    usage: "Change the configuration as a Dockerfile would: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, USER, WORKDIR, …")
  private static let format = OptionDefinition(
    "--format", "-f", kind: .text(default: "oci"), usage: "oci or docker")
  private static let squash = OptionDefinition(
    "--squash", usage: "One layer with all files, instead of one more with the changes")
  private static let quiet = OptionDefinition("--quiet", "-q", usage: "Show no progress")
  private static let common = [author, message, change, format, quiet, .json]

  static let commit = CommandDefinition(
    "commit", arguments: .oneOrTwo, synopsis: "[options [...]] ContainerNameOrID [NewName]",
    usage: "Make an image of a container",
    details: """
      The image has the layers of the container's image and one with what the container has changed, with the owners that the
      container sees. Its configuration is that of the image, changed by each --change, and its history has one step more. Prints
      the image's ID. A running container is not stopped: what it writes meanwhile may be in the image or not.

      --change takes lines of a Dockerfile: CMD and ENTRYPOINT as a list (CMD ["/bin/app", "-v"]) or as a line for the shell, ENV
      and LABEL as NAME=VALUE …, EXPOSE 80/tcp, USER, WORKDIR, VOLUME, STOPSIGNAL, and for docker images ONBUILD.

      A name that another image has moves to the new one. The layer is first written to a file without name in the directory that
      the variable TMPDIR names, /var/tmp if it is not set.
      """, options: common + [squash], isInterruptible: true
  ) { (context: CommandContext) throws(StorageError) in
    var options = try options(context, names: Array(context.arguments.dropFirst()))
    options.isSquashed = context.options[flag: squash]
    let chosen = options
    return try make(context) { (progress) throws(StorageError) in
      let container = try context.store.snapshot().container(named: context.arguments[0])
      return try ImageCommitter(context.store).commit(container.id.rawValue, chosen, progress: progress)
    }
  }

  static let `import` = CommandDefinition(
    "import", arguments: .oneOrTwo, synopsis: "[options [...]] ARCHIVE [NewName]",
    usage: "Make an image of an archive of files",
    details: """
      Makes an image of one layer from a tar file, compressed or not, as "export" or "tar" write them; - is standard input. Archives
      with images are loaded with "load" instead. Prints the image's ID. --change is that of "commit".
      """, options: common + [SizeOption.definition], isInterruptible: true
  ) { (context: CommandContext) throws(StorageError) in
    let options = try options(context, names: Array(context.arguments.dropFirst()))
    let limit = try SizeOption.limit(context.options)
    let path = context.arguments[0]
    if path == "-", isatty(STDIN_FILENO) == 1 {
      throw StorageError(.usage, "cannot read an archive from a terminal: name a file, or redirect standard input")
    }
    return try make(context) { (progress) throws(StorageError) in
      try ImageCommitter(context.store).import(
        path == "-" ? .standardInput : .path(path), options, limit: limit, progress: progress)
    }
  }

  private static func options(_ context: CommandContext, names: [String]) throws(StorageError) -> CommitOptions {
    let given = context.options
    var options = CommitOptions()
    options.names = names
    options.author = given[text: author]
    options.message = given[text: message]
    for line in given[list: change] { options.changes.append(try ImageChange(line)) }
    guard let kind = ImageKind(rawValue: given[text: format]) else {
      throw StorageError(.usage, "--format \(goQuoted(given[text: format])): must be oci or docker")
    }
    options.kind = kind
    return options
  }

  private static func make(
    _ context: CommandContext, _ body: (LoadProgress) throws(StorageError) -> LoadedImage
  ) throws(StorageError) -> ExitStatus {
    let display = context.options[flag: quiet] ? nil : ProgressDisplay()
    let image: LoadedImage
    do throws(StorageError) {
      image = try body(
        LoadProgress(isCancelled: Interruption.isRequested) { display?.update(LoadCommand.item(for: $0)) })
    } catch {
      display?.finish()
      throw error
    }
    display?.finish()
    if context.wantsJSON {
      context.console.printJSON(
        .object([
          .init("id", .string(image.id.rawValue)), .init("names", .array(image.names.map { .string($0) })),
        ]))
    } else {
      context.console.print(image.id.rawValue)
    }
    return .success
  }
}
