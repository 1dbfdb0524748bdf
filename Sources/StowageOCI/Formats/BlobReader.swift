// SPDX-License-Identifier: Apache-2.0

import StowageDigest
import StowageImage
import StowageModel

/// Reads and verifies the documents of a format whose blobs are addressed by digest: OCI layouts and `dir:`.
struct BlobReader: Sendable {
  /// Where the blobs are.
  let container: any BlobContainer
  /// The path of a blob in the container.
  let path: @Sendable (Digest) -> String

  /// Reads a document that a descriptor points to.
  ///
  /// - Throws: `invalidArchive` if it is missing, too large, has another size or is no JSON; `digestMismatch` if its bytes
  ///   do not have the digest.
  func document(_ descriptor: Descriptor) throws(StorageError) -> JSONDocument {
    let blob = try self.blob(descriptor)
    let bytes = try blob.contents(limit: DocumentLimit.document)
    try verify(bytes, descriptor.digest, blob.name)
    return try JSONDocument(name: blob.name, bytes: bytes)
  }

  /// Finds a blob and compares its size.
  func blob(_ descriptor: Descriptor) throws(StorageError) -> Blob {
    let blob = try container.requiredBlob(at: path(descriptor.digest))
    guard blob.size == descriptor.size else {
      throw StorageError(
        .invalidArchive, "\(blob.name): \(blob.size) bytes, but the descriptor says \(descriptor.size)")
    }
    return blob
  }

  /// Compares bytes with their digest.
  func verify(_ bytes: [UInt8], _ digest: Digest, _ name: String) throws(StorageError) {
    let actual = sha256(of: bytes)
    guard actual == digest else {
      throw StorageError(.digestMismatch, "\(name): digest is \(actual), expected \(digest)")
    }
  }

  /// Plans the image of a verified manifest: reads the configuration and finds every layer.
  ///
  /// - Throws: as ``document(_:)``; `invalidArchive` if the configuration has fewer diffIDs than there are layers.
  func plan(_ manifestDocument: JSONDocument, digest: Digest) throws(StorageError) -> ImagePlan {
    let manifest = try ImageManifest(manifestDocument)
    try DocumentLimit.check(layerCount: manifest.layers.count, of: manifestDocument)
    let configDocument = try document(manifest.config)
    let config = try ImageConfig(configDocument)
    var layers: [ImagePlan.Layer] = []
    for (index, descriptor) in manifest.layers.enumerated() {
      var diffID: Digest?
      if let diffIDs = config.diffIDs {
        guard index < diffIDs.count else {
          throw configDocument.error(
            "image config has only \(diffIDs.count) DiffID values, but a layer with index \(index) exists")
        }
        diffID = diffIDs[index]
      }
      layers.append(
        ImagePlan.Layer(
          blob: try blob(descriptor), digest: descriptor.digest, diffID: diffID, isUncompressedFirst: false))
    }
    return ImagePlan(
      config: configDocument.bytes, configDigest: manifest.config.digest, manifest: manifestDocument.bytes,
      manifestDigest: digest, layers: layers, created: config.created,
      platform: config.platform, names: [])
  }
}
