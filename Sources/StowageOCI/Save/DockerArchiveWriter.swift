// SPDX-License-Identifier: Apache-2.0

import StowageArchive
import StowageCompression
import StowageImage
import StowageModel
import StowageStore

/// Writes a docker-archive, byte for byte as Podman does (registries 7.5).
struct DockerArchiveWriter: ~Copyable {
  private let sink: OutputSink
  private let tar: TarWriter
  private let progress: LayerProgress
  /// Members that are there.
  private var names: Set<String> = []
  private var images: [(config: String, tags: [String], layers: [String])] = []
  private var repositories = KeyedValues<KeyedValues<String>>()

  init(_ sink: OutputSink, _ progress: LayerProgress) {
    self.sink = sink
    self.progress = progress
    tar = TarWriter(sink)
  }

  /// Adds an image.
  ///
  /// - Throws: `invalidReference` for a name without tag; what layers and target throw.
  mutating func add(_ image: SavePlan, position: Int) throws(StorageError) {
    var tags: [ImageName] = []
    for name in image.names {
      let parsed = try ImageName(normalizing: name)
      guard parsed.digest == nil else {
        throw StorageError(
          .invalidReference, "\(goQuoted(name)): a docker-archive has names with a tag, not with a digest",
          subject: name)
      }
      tags.append(parsed)
    }
    let legacy = try LegacyLayers(image.config, diffIDs: image.layers.map(\.digest)).layers
    var files: [String] = []
    for (index, layer) in image.layers.enumerated() {
      files.append("\(layer.digest.hex).tar")
      try add(layer, progress.of(layer, index, image, position))
    }
    let config = "\(image.configDigest.hex).json"
    try add(config, image.config.bytes)
    for (layer, file) in zip(legacy, files) {
      try addLink("\(layer.id)/layer.tar", to: "../\(file)")
      try add("\(layer.id)/VERSION", Array("1.0".utf8))
      try add("\(layer.id)/json", layer.json)
    }
    for name in tags {
      let repository = "\(name.domain)/\(name.path)"
      var known = repositories[repository] ?? [:]
      known[name.tag ?? ""] = legacy.last?.id ?? ""
      repositories[repository] = known
    }
    images.append((config, tags.map(\.description), files))
  }

  /// Ends the archive.
  mutating func finish() throws(StorageError) {
    try add("manifest.json", manifest)
    var writer = JSONWriter(.recordFile)
    writer.table(repositories) { (writer: inout JSONWriter, tags) in
      writer.table(tags) { (writer: inout JSONWriter, id) in writer.string(id) }
    }
    try add("repositories", writer.bytes)
    do throws(ArchiveError) {
      try tar.finish()
      try sink.finish()
    } catch { throw error.ofSave }
  }

  private var manifest: [UInt8] {
    var writer = JSONWriter(.recordFile)
    writer.beginArray()
    for image in images {
      writer.beginObject()
      writer.name("Config")
      writer.string(image.config)
      for (name, texts) in [("RepoTags", image.tags), ("Layers", image.layers)] {
        writer.name(name)
        writer.beginArray()
        for text in texts { writer.string(text) }
        writer.endArray()
      }
      writer.endObject()
    }
    writer.endArray()
    return writer.bytes
  }

  private mutating func add(_ layer: LayerArchive, _ progress: LayerProgress.Layer) throws(StorageError) {
    let name = "\(layer.digest.hex).tar"
    guard names.insert(name).inserted else { return progress.end(.shared) }
    let size: Int64
    if let known = layer.size { size = known } else { size = try layer.measured(self.progress.cancellation) }
    try begin(TarHeader(kind: .regular, name: Array(name.utf8), mode: 0o444, size: size))
    try layer.write(to: progress.sink(MemberSink(tar)), self.progress.cancellation)
    progress.end(.done)
  }

  private mutating func add(_ name: String, _ bytes: [UInt8]) throws(StorageError) {
    guard names.insert(name).inserted else { return }
    try begin(TarHeader(kind: .regular, name: Array(name.utf8), mode: 0o444, size: Int64(bytes.count)))
    do throws(ArchiveError) { try MemberSink(tar).write(bytes) } catch { throw error.ofSave }
  }

  private mutating func addLink(_ name: String, to target: String) throws(StorageError) {
    guard names.insert(name).inserted else { return }
    try begin(TarHeader(kind: .symbolicLink, name: Array(name.utf8), linkName: Array(target.utf8)))
  }

  private func begin(_ header: TarHeader) throws(StorageError) {
    do throws(ArchiveError) { try tar.begin(header) } catch { throw error.ofSave }
  }
}

/// The content of the current member of a tar file.
private final class MemberSink: ByteSink {
  private let tar: TarWriter

  init(_ tar: TarWriter) { self.tar = tar }

  func write(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) { try tar.write(bytes) }

  /// Does nothing: the writer sees to it that a member is complete.
  func finish() {}
}
