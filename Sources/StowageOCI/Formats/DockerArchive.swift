// SPDX-License-Identifier: Apache-2.0

import StowageCompression
import StowageDigest
import StowageImage
import StowageModel

/// An archive as `docker save` and `podman save` write it: `manifest.json` is a list of images, each with the paths of its
/// configuration and layers.
struct DockerArchive {
  private let container: any BlobContainer
  private let manifest: JSONDocument
  private let items: [JSONValue]

  /// Recognises an archive by a `manifest.json` that is an array; nil if there is none.
  ///
  /// - Throws: `invalidArchive` if `manifest.json` is no JSON.
  init?(_ container: any BlobContainer) throws(StorageError) {
    guard let blob = try container.blob(at: "manifest.json") else { return nil }
    manifest = try JSONDocument(name: blob.name, bytes: try blob.contents(limit: DocumentLimit.archiveManifest))
    guard let items = manifest.value.array else { return nil }
    self.items = items
    self.container = container
  }

  /// Plans every image of the archive.
  func plans() throws(StorageError) -> [ImagePlan] {
    guard !items.isEmpty else { throw manifest.error("no image in the archive") }
    var sizes = LayerSizes()
    var plans: [ImagePlan] = []
    for (index, item) in items.enumerated() { plans.append(try plan(item, index, &sizes)) }
    return plans
  }

  private func plan(_ item: JSONValue, _ index: Int, _ sizes: inout LayerSizes) throws(StorageError) -> ImagePlan {
    guard let path = try manifest.text("Config", of: item), !path.isEmpty else {
      throw manifest.error("item \(index) has no Config")
    }
    let blob = try container.requiredBlob(at: path)
    let document = try JSONDocument(name: blob.name, bytes: try blob.contents(limit: DocumentLimit.document))
    guard document.value["rootfs"]?.object != nil else { throw document.error("no rootfs in the image configuration") }
    let config = try ImageConfig(document)
    let layers = try self.layers(try manifest.texts("Layers", of: item) ?? [], config.diffIDs ?? [])
    let configDigest = sha256(of: document.bytes)
    var described: [(diffID: Digest, size: Int64)] = []
    for (diffID, blob) in layers.map({ ($0.digest, $0.blob) }) {
      described.append((diffID, try sizes.uncompressedSize(of: blob)))
    }
    let manifestBytes = ImageManifest.synthesized(
      configSize: document.bytes.count, configDigest: configDigest, layers: described)
    return ImagePlan(
      config: document.bytes, configDigest: configDigest, manifest: manifestBytes,
      manifestDigest: sha256(of: manifestBytes), layers: layers, created: config.created,
      platform: config.platform, names: try names(of: item, index))
  }

  /// Pairs the paths of layers with their diffIDs; a repeated diffID stands for the first path.
  private func layers(_ paths: [String], _ diffIDs: [Digest]) throws(StorageError) -> [ImagePlan.Layer] {
    guard paths.count == diffIDs.count else {
      throw manifest.error("Inconsistent layer count: \(paths.count) in manifest, \(diffIDs.count) in config")
    }
    try DocumentLimit.check(layerCount: paths.count, of: manifest)
    var pathOfDiffID: [Digest: String] = [:]
    var diffIDOfPath: [String: Digest] = [:]
    var layers: [ImagePlan.Layer] = []
    for (path, diffID) in zip(paths, diffIDs) {
      if pathOfDiffID[diffID] == nil {
        guard diffIDOfPath[path] == nil else {
          throw manifest.error("layer tarfile \(goQuoted(path)) used for two different DiffID values")
        }
        pathOfDiffID[diffID] = path
        diffIDOfPath[path] = diffID
      }
      guard let blob = try container.blob(at: pathOfDiffID[diffID] ?? path) else {
        throw manifest.error("Some layer tarfiles are missing in the tarball: \(goQuoted(path))")
      }
      layers.append(ImagePlan.Layer(blob: blob, digest: diffID, diffID: diffID, isUncompressedFirst: true))
    }
    return layers
  }

  private func names(of item: JSONValue, _ index: Int) throws(StorageError) -> [String] {
    var names: [String] = []
    for tag in try manifest.texts("RepoTags", of: item) ?? [] {
      let name = try ImageName(normalizing: tag)
      guard ImageName.isTagged(tag) else {
        throw manifest.error("Invalid tag \(goQuoted(tag)) in manifest item @\(index): not a name with a tag")
      }
      names.append(name.description)
    }
    return names
  }
}

/// Uncompressed sizes of layers, each found out once.
///
/// The manifest made for a docker-archive has them, so a compressed layer has to be unpacked once before anything else.
private struct LayerSizes {
  private var known: [Int64: Int64] = [:]

  mutating func uncompressedSize(of blob: Blob) throws(StorageError) -> Int64 {
    do throws(ArchiveError) {
      let source = PeekedSource(blob.open())
      let format = try detectCompression(of: source)
      if format == .none { return blob.size }
      if let size = known[blob.offset] { return size }
      let content = chunked(decoder(for: format, over: source))
      var size: Int64 = 0
      while true {
        let count = try content.nextChunk().count
        if count == 0 { break }
        size &+= Int64(count)
      }
      known[blob.offset] = size
      return size
    } catch {
      throw StorageError(.invalidArchive, "\(blob.name): \(error)", cause: error)
    }
  }
}
