// SPDX-License-Identifier: Apache-2.0

import StowageDigest
import StowageImage
import StowageModel
import StowageStore

extension ImagePlan {
  /// An image of a new layer over those of another image, all told of as uncompressed, as Podman does in a store.
  init(
    config: [UInt8], _ family: ManifestFamily, _ layer: LayerSpool, over below: SavePlan?, created: Timestamp,
    names: [String]
  ) throws(StorageError) {
    guard let type = family.layerType(.none) else { throw StorageError(.notSupported, "no uncompressed layers") }
    var blobs: [ManifestDraft.Blob] = []
    for archive in below?.layers ?? [] {
      var size = archive.size
      if size == nil { size = try archive.measured(CancellationFlag()) }
      blobs.append(.init(mediaType: type, digest: archive.digest, size: size ?? 0))
    }
    blobs.append(.init(mediaType: type, digest: layer.digest, size: layer.blob.size))
    let digest = sha256(of: config)
    let kind = try JSONDocument(name: "manifest", bytes: Array("{\"mediaType\":\"\(family.manifestType)\"}".utf8))
    let manifest = ManifestDraft(of: kind, as: family).bytes(
      config: .init(mediaType: family.configType, digest: digest, size: Int64(config.count)), layers: blobs)
    self.init(
      config: config, configDigest: digest, manifest: manifest, manifestDigest: sha256(of: manifest),
      layers: [
        Layer(blob: layer.blob, digest: layer.digest, diffID: layer.digest, isUncompressedFirst: false)
      ],
      base: below?.layers.last?.id, created: created, platform: .current, names: names)
  }
}
