// SPDX-License-Identifier: Apache-2.0
import Glibc
import StowageCommandLine
import StowageImage
import StowageModel
import StowageOCI
import StowageStore
import Synchronization

/// `load`: the images of an archive into the store (chunked-and-composefs 5.8). Not a command of the reference; its
/// output follows `podman load`.
enum LoadCommand {
  private static let input = OptionDefinition(
    "--input", "-i", kind: .text(), usage: "Read from file or directory instead of stdin")
  private static let name = OptionDefinition(
    "--name", "-n", kind: .list, usage: "Name to give instead of those in the archive")
  private static let platform = OptionDefinition(
    "--platform", kind: .text(), usage: "Load what is for this OS/ARCHITECTURE[/VARIANT] instead of this machine's")
  private static let quiet = OptionDefinition("--quiet", "-q", usage: "Show no progress")

  static let definition = CommandDefinition(
    "load", arguments: .any, synopsis: "[options [...]] [SOURCE [...]]", usage: "Load images from an archive",
    details: """
      Reads images from a docker-archive, an OCI archive, an OCI layout directory or a dir: folder, compressed or not, and
      puts them into the store. Without a source, or with -, it reads standard input. What a source has to be may be said in
      front of it: docker-archive:FILE, oci-archive:FILE, oci:DIRECTORY, dir:DIRECTORY; for one image of several its name, or @ and
      its position from 0, stands behind a further colon, not for dir:. All digests are verified before
      anything becomes visible; layers that are in the store are not stored again. A compressed archive, and standard input
      that is no file, is first copied, uncompressed, into a file without name in the directory that the variable TMPDIR
      names, /var/tmp if it is not set: as much space must be free there.
      """,
    options: [input, name, platform, quiet, SizeOption.definition, .json], isInterruptible: true, run: run)

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    let sources = try sources(context)
    var names: [String] = []
    for name in context.options[list: name] { names.append("\(try ImageName(normalizing: name))") }
    if sources.count > 1, !names.isEmpty {
      throw StorageError(.usage, "a name for \(sources.count) sources: load them one by one")
    }
    let display = context.options[flag: quiet] ? nil : ProgressDisplay()
    let begun = Begun()
    // Nothing is in the store before the first report, and reading standard input may take for ever.
    Interruption.whenRequested {
      if !begun.isSet, let signal = Interruption.signal { Interruption.end(.signal(signal)) }
    }
    let limit = try SizeOption.limit(context.options)
    var all: [LoadedImage] = []
    do throws(StorageError) {
      for source in sources {
        let images = try load(source, names.first, limit, display, begun, context)
        // The loader gives one name; further ones are the same as names added later.
        if let image = images.first, names.count > 1 {
          try context.store.addNames(Array(names.dropFirst()), to: image.id.rawValue)
        }
        all += images
        // What is loaded stays, also if a later source is none.
        if !context.wantsJSON { show(images, names, context) }
      }
    } catch {
      display?.finish()
      throw error
    }
    if context.wantsJSON { try printJSON(all, names, context) }
    return .success
  }

  private static func load(
    _ source: ImageSource, _ name: String?, _ limit: SizeLimit?, _ display: ProgressDisplay?, _ begun: Begun,
    _ context: CommandContext
  ) throws(StorageError) -> [LoadedImage] {
    let progress = LoadProgress(isCancelled: Interruption.isRequested) { report in
      begun.set()
      display?.update(item(for: report))
    }
    let images = try ImageLoader(context.store).load(
      from: source, name: name, platform: given(context.options[text: platform]), limit: limit, progress: progress)
    display?.finish()
    return images
  }

  private static func show(_ images: [LoadedImage], _ names: [String], _ context: CommandContext) {
    for image in images {
      for reference in names.isEmpty ? image.references : names {
        context.console.print("Loaded image: " + reference)
      }
    }
  }

  /// The option, the arguments, or standard input; a person is not asked to type an archive.
  private static func sources(_ context: CommandContext) throws(StorageError) -> [ImageSource] {
    let option = given(context.options[text: input])
    let arguments = context.arguments.filter { !$0.isEmpty }
    if let option, let argument = arguments.first {
      throw StorageError(.usage, "two sources given: --input \(goQuoted(option)) and \(goQuoted(argument))")
    }
    var sources: [ImageSource] = []
    for text in option.map({ [$0] }) ?? arguments where text != "-" { sources.append(try ImageSource(text)) }
    if sources.count > 0, sources.count == max(1, arguments.count) { return sources }
    guard sources.isEmpty else {
      throw StorageError(.usage, "standard input beside other sources: load it by itself")
    }
    guard isatty(STDIN_FILENO) == 0 else {
      throw StorageError(
        .usage, "cannot read an image archive from a terminal: name a file, or redirect standard input")
    }
    return [.standardInput]
  }

  static func item(for report: LoadProgress.Report) -> ProgressDisplay.Item {
    let outcome: String? =
      switch report.state {
      case .extracting: nil
      case .done: "done"
      case .reused: "already present"
      }
    return ProgressDisplay.Item(
      order: [report.image, report.layer],
      label: "Layer \(report.layer + 1)/\(report.layerCount) \(report.blob.hex.prefix(12))", done: report.doneBytes,
      total: report.totalBytes, outcome: outcome)
  }

  private static func printJSON(
    _ images: [LoadedImage], _ names: [String], _ context: CommandContext
  ) throws(StorageError) {
    var entries: [(image: LoadedImage, digest: Digest?, layers: [LayerID])] = []
    for image in images {
      let record = try context.store.images.find(image.id.rawValue).record
      entries.append((image, record.digest, try chain(from: record.layer, context.store)))
    }
    context.console.printJSON(list: entries, whenEmpty: .emptyList) { writer, entry in
      writer.beginObject()
      writer.name("id")
      writer.string(entry.image.id.rawValue)
      writer.name("names")
      writer.list(names.isEmpty ? entry.image.names : names)
      writer.name("digest")
      writer.string(entry.digest?.description ?? "")
      writer.name("layers")
      writer.list(entry.layers.map(\.rawValue))
      writer.name("loaded")
      writer.bool(!entry.image.wasAlreadyPresent)
      writer.endObject()
    }
  }

  /// The layers of an image, the base layer first.
  private static func chain(from top: LayerID?, _ store: Store) throws(StorageError) -> [LayerID] {
    var chain: [LayerID] = []
    var next = top
    while let id = next, !chain.contains(id) {
      chain.append(id)
      next = try store.layers.find(id.rawValue).record.parent
    }
    return chain.reversed()
  }
}

/// Whether a load has begun to change the store.
private final class Begun: Sendable {
  private let flag = Atomic(false)

  var isSet: Bool { flag.load(ordering: .acquiring) }
  func set() { flag.store(true, ordering: .releasing) }
}
