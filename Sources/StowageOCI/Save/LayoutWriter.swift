// SPDX-License-Identifier: Apache-2.0

import StowageCompression
import StowageDigest
import StowageImage
import StowageModel
import StowageStore

/// Writes manifests, configurations and layers as blobs: an OCI layout, or a flat directory (registries 7.6, 7.7).
struct LayoutWriter: ~Copyable {
  private let output: any BlobOutput
  private let format: SaveFormat
  private let compression: SaveCompression?
  private let progress: LayerProgress
  private var written: Set<Digest> = []
  /// Layers that were written, by diffID and compression.
  private var layers: [Layer: WrittenBlob] = [:]
  private var index: [(manifest: WrittenBlob, name: String?)] = []

  private struct Layer: Hashable {
    let diffID: Digest
    let compression: SaveCompression
  }

  init(_ output: any BlobOutput, _ format: SaveFormat, _ compression: SaveCompression?, _ progress: LayerProgress) {
    self.output = output
    self.format = format
    self.compression = compression
    self.progress = progress
  }

  /// Adds an image.
  ///
  /// - Returns: the digest of its manifest as written.
  mutating func add(_ image: SavePlan, position: Int) throws(StorageError) -> Digest {
    let family = family(for: image)
    let isConverted = family != ImageManifest.family(of: image.manifest)
    let config = isConverted && family == .oci ? try ConvertedConfig.oci(from: image.config) : image.config.bytes
    var blobs: [(blob: WrittenBlob, type: String)] = []
    for (index, layer) in image.layers.enumerated() {
      let compression = compression(for: image.manifestLayers[index], family)
      guard let type = family.layerType(compression.format) else {
        throw StorageError(.usage, "layers of a \(format.name) cannot be compressed with zstd: choose gzip or none")
      }
      blobs.append((try add(layer, compression, progress.of(layer, index, image, position)), type))
    }
    let configBlob = try add(config)
    let keepsManifest = !isConverted && image.describes(blobs)
    let manifest =
      keepsManifest
      ? image.manifest.bytes
      : ManifestDraft(of: image.manifest, as: family).bytes(
        config: ManifestDraft.Blob(mediaType: family.configType, digest: configBlob.digest, size: configBlob.size),
        layers: blobs.map { ManifestDraft.Blob(mediaType: $0.type, digest: $0.blob.digest, size: $0.blob.size) })
    if format.isFlat {
      try output.add("manifest.json", manifest)
      return sha256(of: manifest)
    }
    let blob = try add(manifest)
    if image.names.isEmpty { index.append((blob, nil)) } else { index += image.names.map { (blob, $0) } }
    return blob.digest
  }

  /// Writes what belongs to no image.
  func finish() throws(StorageError) {
    if format.isFlat {
      try output.add("version", Array("Directory Transport Version: 1.1\n".utf8))
    } else {
      try output.add("index.json", indexDocument)
      try output.add("oci-layout", Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8))
    }
  }

  /// The kind of manifest that is written.
  private func family(for image: SavePlan) -> ManifestFamily {
    switch format {
    case .dockerDirectory: .docker
    case .directory:
      // A Docker manifest cannot have such layers.
      if case .zstd = compression { .oci } else { ImageManifest.family(of: image.manifest) }
    default: .oci
    }
  }

  private func compression(for layer: Descriptor, _ family: ManifestFamily) -> SaveCompression {
    if let compression { return compression }
    if format.isFlat { return .none }
    return layer.mediaType.hasSuffix("+zstd") && family == .oci ? .zstd() : .gzip
  }

  private mutating func add(
    _ layer: LayerArchive, _ compression: SaveCompression, _ progress: LayerProgress.Layer
  ) throws(StorageError) -> WrittenBlob {
    let key = Layer(diffID: layer.digest, compression: compression)
    if let known = layers[key] {
      progress.end(.shared)
      return known
    }
    let cancellation = self.progress.cancellation
    var known: WrittenBlob?
    if compression == .none {
      let size: Int64
      if let recorded = layer.size { size = recorded } else { size = try layer.measured(cancellation) }
      known = WrittenBlob(digest: layer.digest, size: size)
    }
    let format = format
    let blob = try output.addBlob(known, bound: layer.size, at: { format.path(of: $0) }) {
      (sink) throws(StorageError) in
      do throws(ArchiveError) {
        let compressor = try compression.sink(over: sink)
        do throws(StorageError) { try layer.write(to: progress.sink(compressor ?? sink), cancellation) } catch {
          throw ArchiveError(.caller, error.message, cause: error)
        }
        try compressor?.finish()
      } catch { throw error.ofSave }
    }
    layers[key] = blob
    written.insert(blob.digest)
    progress.end(.done)
    return blob
  }

  private mutating func add(_ document: [UInt8]) throws(StorageError) -> WrittenBlob {
    let blob = WrittenBlob(digest: sha256(of: document), size: Int64(document.count))
    if written.insert(blob.digest).inserted { try output.add(format.path(of: blob.digest), document) }
    return blob
  }

  private var indexDocument: [UInt8] {
    var writer = JSONWriter(.recordFile)
    writer.beginObject()
    writer.name("schemaVersion")
    writer.integer(2)
    writer.name("mediaType")
    writer.string(MediaType.ociIndex)
    writer.name("manifests")
    writer.beginArray()
    for entry in index {
      writer.beginObject()
      writer.name("mediaType")
      writer.string(MediaType.ociManifest)
      writer.name("digest")
      writer.string(entry.manifest.digest.description)
      writer.name("size")
      writer.integer(entry.manifest.size)
      if let name = entry.name {
        writer.name("annotations")
        writer.beginObject()
        writer.name("org.opencontainers.image.ref.name")
        writer.string(name)
        writer.endObject()
      }
      writer.endObject()
    }
    writer.endArray()
    writer.endObject()
    return writer.bytes
  }
}

extension SaveFormat {
  /// Whether blobs lie beside the one manifest.
  var isFlat: Bool { self == .directory || self == .dockerDirectory }

  /// Where a blob is.
  fileprivate func path(of digest: Digest) -> String {
    isFlat ? digest.hex : "blobs/\(digest.algorithm)/\(digest.hex)"
  }
}

extension SaveCompression {
  /// A sink that compresses into another one, which it does not finish; nil if nothing is compressed.
  fileprivate func sink(over downstream: any ByteSink) throws(ArchiveError) -> (any ByteSink)? {
    switch self {
    case .none: nil
    case .gzip: try ParallelGzipSink(downstream)
    case .zstd(let level): try ZstdSink(downstream, level: CInt(clamping: level), isParallel: true)
    }
  }
}

extension SavePlan {
  /// Whether the image's own manifest tells the truth about these blobs.
  fileprivate func describes(_ blobs: [(blob: WrittenBlob, type: String)]) -> Bool {
    zip(manifestLayers, blobs).allSatisfy { told, actual in
      told.digest == actual.blob.digest && told.size == actual.blob.size && told.mediaType == actual.type
    }
  }
}
