// SPDX-License-Identifier: Apache-2.0
import Glibc
import StowageCommandLine
import StowageModel
import StowageOCI
import StowageStore

/// `save`: images of the store into an archive or a directory (registries 7). What it writes, and what it refuses, follows
/// `podman save`.
enum SaveCommand {
  private static let output = OptionDefinition(
    "--output", "-o", kind: .text(),
    usage: "Write to this file or directory, or TRANSPORT:PATH[:NAME], instead of stdout")
  private static let format = OptionDefinition(
    "--format", kind: .text(default: ""),
    usage: "docker-archive (if nothing else is said), oci-archive, oci-dir, docker-dir or dir")
  private static let compression = OptionDefinition(
    "--compression", kind: .text(), usage: "Compress layers with none, gzip or zstd[:LEVEL]; not in a docker-archive")
  private static let quiet = OptionDefinition("--quiet", "-q", usage: "Show no progress")

  static let definition = CommandDefinition(
    "save", arguments: .oneOrMore, synopsis: "[options [...]] IMAGE [...] [TRANSPORT:PATH[:NAME]]",
    usage: "Save images to an archive",
    details: """
      Writes images to a docker-archive with the bytes that podman save writes, or to an OCI archive, an OCI layout directory or
      a dir: folder. Several images may be saved into one, but for docker-dir and dir. Without --output, or with -, an archive
      goes to standard output.

      Instead of --format and --output the last argument, or --output, may be docker-archive:FILE, oci-archive:FILE, oci:DIRECTORY
      or dir:DIRECTORY, the first three with another name for the image behind a further colon.

      A file or directory appears when it is complete, so what is not whole is not there. A docker-archive takes the place of an
      empty file only, a directory that of an empty one; an OCI archive replaces a file. Every layer is verified while it is
      written. Layers of OCI formats are compressed with gzip, unless the image's manifest has them with Zstandard. The manifest
      stays the image's own, with its digest, if all layers become what it says. A Docker image gets a configuration that OCI
      knows, and so another ID, as with other programs.

      An OCI archive with compressed layers that goes to standard output is made one layer at a time in a file without name in
      the directory that the variable TMPDIR names, /var/tmp if it is not set.
      """,
    options: [output, format, compression, quiet], isInterruptible: true, run: run)

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    var images = context.arguments
    var destination = try given(context.options[text: output]).map { (text) throws(StorageError) in
      try SaveDestination(text) ?? SaveDestination(path: text)
    }
    if images.count > 1, let last = images.last, let named = try SaveDestination(last) {
      if let text = given(context.options[text: output]) {
        throw StorageError(.usage, "two destinations given: --output \(goQuoted(text)) and \(goQuoted(last))")
      }
      destination = named
      images.removeLast()
    }
    let format = try format(context, destination)
    let options = SaveOptions(
      compression: try compression(context.options[text: compression]), names: destination?.name.map { [$0] })
    let target = try target(destination, format)
    let display = context.options[flag: quiet] ? nil : ProgressDisplay()
    let progress = SaveProgress(isCancelled: Interruption.isRequested) { display?.update(item(for: $0)) }
    do throws(StorageError) {
      try ImageSaver(context.store).save(images, to: target, as: format, options: options, progress: progress)
    } catch {
      display?.finish()
      if error.code == .cancelled {
        let isPath = destination.map { $0.path != "-" } ?? false
        context.console.printError(
          isPath ? "interrupted: nothing was kept of \(target)" : "interrupted: the archive is not complete")
      }
      throw error
    }
    display?.finish()
    return .success
  }

  private static func format(
    _ context: CommandContext, _ destination: SaveDestination?
  ) throws(StorageError) -> SaveFormat {
    guard let text = given(context.options[text: format]) else { return destination?.format ?? .dockerArchive }
    guard let format = SaveFormat.allCases.first(where: { $0.name == text }) else {
      throw StorageError(
        .usage,
        "--format \(goQuoted(text)): must be one of " + SaveFormat.allCases.map(\.name).joined(separator: ", "))
    }
    if let other = destination?.format, other != format {
      throw StorageError(.usage, "two formats given: --format \(text), and a destination that is \(other.name)")
    }
    return format
  }

  private static func compression(_ text: String) throws(StorageError) -> SaveCompression? {
    switch text {
    case "": return nil
    case "none": return SaveCompression.none
    case "gzip": return .gzip
    case "zstd": return .zstd()
    default:
      let parts = text.split(separator: ":", omittingEmptySubsequences: false)
      if parts.count == 2, parts[0] == "zstd", let level = Int(parts[1]) { return .zstd(level: level) }
      throw StorageError(.usage, "--compression \(goQuoted(text)): must be none, gzip, zstd or zstd:LEVEL")
    }
  }

  private static func target(
    _ destination: SaveDestination?, _ format: SaveFormat
  ) throws(StorageError) -> ImageTarget {
    if let path = destination?.path, path != "-" { return .path(path) }
    switch format {
    case .dockerArchive, .ociArchive: break
    default: throw StorageError(.usage, "a \(format.name) is a directory: name it with --output")
    }
    guard isatty(STDOUT_FILENO) == 0 else {
      throw StorageError(.usage, "refusing to save to terminal. Use -o flag or redirect")
    }
    return .standardOutput
  }

  private static func item(for report: SaveProgress.Report) -> ProgressDisplay.Item {
    let outcome: String? =
      switch report.state {
      case .writing: nil
      case .done: "done"
      case .shared: "already written"
      }
    return ProgressDisplay.Item(
      order: [report.image, report.layer],
      label: "Layer \(report.layer + 1)/\(report.layerCount) \(report.diffID.hex.prefix(12))", done: report.doneBytes,
      total: report.totalBytes, outcome: outcome)
  }
}

/// Where images are saved to, as the command line says it.
private struct SaveDestination {
  private static let transports: [(prefix: String, format: SaveFormat)] = [
    ("docker-archive:", .dockerArchive), ("oci-archive:", .ociArchive), ("oci:", .ociLayout), ("dir:", .directory),
  ]

  let path: String
  /// What a transport says about the format.
  let format: SaveFormat?
  /// The name behind the path.
  let name: String?

  /// A path alone.
  init(path: String) {
    self.path = path
    format = nil
    name = nil
  }

  /// `TRANSPORT:PATH[:NAME]`; nil for a text without transport (registries 1.3).
  init?(_ text: String) throws(StorageError) {
    guard let transport = SaveDestination.transports.first(where: { text.hasPrefix($0.prefix) }) else { return nil }
    format = transport.format
    let rest = text.dropFirst(transport.prefix.count)
    // The path of a folder may have colons; the others end at the first, as names have some.
    let colon = transport.format == .directory ? nil : rest.firstIndex(of: ":")
    path = String(colon.map { rest[..<$0] } ?? rest)
    name = colon.map { String(rest[rest.index(after: $0)...]) }
    guard !path.isEmpty, name != "" else {
      throw StorageError(
        .usage, "\(goQuoted(text)): must be \(transport.prefix)PATH, with a name behind a further colon or none")
    }
  }
}
