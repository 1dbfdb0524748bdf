// SPDX-License-Identifier: Apache-2.0

import StowageDigest
import StowageImage
import StowageModel
import StowageStore

/// One image to be saved: all but its layers has been read and verified.
struct SavePlan: Sendable {
  let id: ImageID
  /// The names to save it with, in order.
  var names: [String]
  /// The image's own manifest.
  let manifest: JSONDocument
  let manifestLayers: [Descriptor]
  let config: JSONDocument
  let configDigest: Digest
  /// Base layer first.
  let layers: [LayerArchive]

  /// Looks at an image of the store.
  ///
  /// - Throws: `imageUnknown`; `notSupported` for lists of manifests, artifacts and schema 1; `imageDataMissing`,
  ///   `digestMismatch` and `corrupt` for an image that is damaged; what the store throws.
  init(_ id: ImageID, names: [String], in store: Store) throws(StorageError) {
    self.id = id
    self.names = names
    manifest = try SavePlan.document("manifest", of: id, store)
    if ImageIndex.matches(manifest, mediaType: "") {
      throw StorageError(.notSupported, "it is a list of manifests: save the images that it lists one by one")
    }
    let parsed = try ImageManifest(manifest)
    manifestLayers = parsed.layers
    configDigest = parsed.config.digest
    config = try SavePlan.document(configDigest.description, of: id, store)
    let actual = sha256(of: config.bytes)
    guard actual == configDigest else {
      throw StorageError(.digestMismatch, "its configuration is damaged: digest is \(actual), expected \(configDigest)")
    }
    layers = try store.images.layerArchives(of: id)
    guard layers.count == manifestLayers.count else {
      throw StorageError(
        .corrupt, "its manifest has \(manifestLayers.count) layers, but \(layers.count) are in the store")
    }
    let diffIDs = try ImageConfig(config).diffIDs ?? layers.map(\.digest)
    guard diffIDs == layers.map(\.digest) else {
      throw StorageError(.corrupt, "the layers in the store are not those that its configuration names")
    }
  }

  /// A document among the items of an image. What comes from the store is not a broken archive, but a broken store.
  private static func document(_ key: String, of id: ImageID, _ store: Store) throws(StorageError) -> JSONDocument {
    do throws(StorageError) {
      return try JSONDocument(name: key, bytes: try store.images.bigData(key, of: id.rawValue))
    } catch {
      guard error.code == .invalidArchive else { throw error }
      throw StorageError(.corrupt, error.message, subject: id.rawValue, cause: error)
    }
  }
}

extension Store {
  /// The images that texts mean, each once, with the names by which they were asked for: full ones, none for an identifier.
  ///
  /// - Throws: `imageUnknown`, `ambiguous`.
  func imagesToSave(_ texts: [String]) throws(StorageError) -> [(id: ImageID, names: [String])] {
    let snapshot = try snapshot(layers: false, images: true, containers: false)
    var found: [(id: ImageID, names: [String])] = []
    for text in texts {
      let image = try snapshot.image(named: text)
      let names = image.record.name(meantBy: text).map { [$0] } ?? []
      if let index = found.firstIndex(where: { $0.id == image.id }) {
        found[index].names += names.filter { !found[index].names.contains($0) }
      } else {
        found.append((image.id, names))
      }
    }
    return found
  }
}

extension ImageRecord {
  /// The name of the image that a text has led to it by; nil if that was its identifier or a digest.
  fileprivate func name(meantBy text: String) -> String? {
    // What is no name was an identifier.
    guard let name = try? ImageName(normalizing: text), name.digest == nil else { return nil }
    let end = "/\(name.path):\(name.tag ?? "latest")"
    let isShort = name.domain == "localhost" && !text.hasPrefix("localhost/")
    let library = "docker.io/library" + end
    return names.first { $0 == name.description } ?? names.first { isShort && $0 == library }
      ?? names.first { isShort && $0.hasSuffix(end) }
  }
}
