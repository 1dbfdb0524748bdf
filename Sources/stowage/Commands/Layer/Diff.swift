// SPDX-License-Identifier: Apache-2.0
import Glibc
import StowageCommandLine
import StowageModel
import StowageStore
import SystemPackage

/// `diff`: a layer's content relative to another layer as a tar stream (cli 18.3).
enum DiffCommand {
  private static let file = OptionDefinition("--file", "-f", kind: .text(), usage: "Write to file instead of stdout")
  private static let strict = OptionDefinition(
    "--strict", usage: "Fail if something cannot be in an archive, instead of leaving it out",
    isAdditional: true)
  /// In the order of their weight: of several the last one counts.
  private static let compressions: [(option: OptionDefinition, compression: Compression)] = [
    (OptionDefinition("--uncompressed", "-u", usage: "Use no compression"), .none),
    (OptionDefinition("--gzip", "-c", usage: "Compress using gzip"), .gzip),
    (OptionDefinition("--bzip2", "--bz2", "-b", usage: "Compress using bzip2 (not currently supported)"), .bzip2),
    (OptionDefinition("--xz", "-x", usage: "Compress using xz (not currently supported)"), .xz),
  ]

  static let definition = CommandDefinition(
    "diff", arguments: .oneOrTwo, synopsis: "[options [...]] layerNameOrID [referenceLayerNameOrID]",
    usage: "Compare two layers", completes: [.layers, .containers, .shortImages],
    options: [file] + compressions.map(\.option) + [strict], isInterruptible: true,
    run: run)

  @Sendable private static func run(_ context: CommandContext) throws(StorageError) -> ExitStatus {
    let wanted = compressions.last { context.options[flag: $0.option] }?.compression
    let path = given(context.options[text: file])
    if context.face == .stowage, path == nil, isatty(STDOUT_FILENO) == 1 {
      throw StorageError(.usage, "diff writes an archive, which is nothing for a terminal: use --file, or redirect it")
    }
    // Looked up before the output file is emptied (cli 25, W10).
    let layer = try context.layer(context.arguments[0])
    _ = try context.store.layers.find(layer)
    let reference = try context.referenceLayer()
    let output = if let path { try HostFile.openForWriting(path) } else { FileDescriptor.standardOutput }
    let sink = InterruptibleSink(output.rawValue)
    do throws(StorageError) {
      try context.store.layers.diff(
        of: layer, from: reference, compression: wanted, isStrict: context.options[flag: strict],
        to: .sink(sink))
      try sink.end()
    } catch {
      // The error that led here is told.
      if path != nil { try? output.close() }
      throw error
    }
    if let path { try HostFile.close(output, name: path) }
    return .success
  }
}
