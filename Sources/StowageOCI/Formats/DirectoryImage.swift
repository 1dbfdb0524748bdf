// SPDX-License-Identifier: Apache-2.0

import StowageDigest
import StowageImage
import StowageModel

/// An image in a `dir:` directory: `manifest.json` is its manifest, blobs lie beside it under their digests.
struct DirectoryImage {
  private let container: any BlobContainer
  private let manifest: JSONDocument

  /// Recognises such a directory by a `manifest.json` that is an object; nil if there is none.
  ///
  /// - Throws: `invalidArchive` if `manifest.json` is no JSON.
  init?(_ container: any BlobContainer) throws(StorageError) {
    guard let blob = try container.blob(at: "manifest.json") else { return nil }
    manifest = try JSONDocument(name: blob.name, bytes: try blob.contents(limit: DocumentLimit.document))
    guard manifest.value.object != nil else { return nil }
    self.container = container
  }

  /// Plans the image. A `manifest.json` that is a list stands for the instance for a platform.
  func plans(for platform: Platform) throws(StorageError) -> [ImagePlan] {
    // Before version 1.1 of the transport all digests were SHA-256 and blobs had a suffix; those are not read.
    let reader = BlobReader(container: container) { $0.algorithm == "sha256" ? $0.hex : "\($0.algorithm)-\($0.hex)" }
    var document = manifest
    var digest = sha256(of: manifest.bytes)
    var indexes: [(digest: Digest, bytes: [UInt8])] = []
    if ImageIndex.matches(document, mediaType: "") {
      indexes.append((digest, document.bytes))
      let instance = try ImageIndex(document).instance(for: platform)
      let blob = try container.requiredBlob(at: "\(instance.digest.hex).manifest.json")
      let bytes = try blob.contents(limit: DocumentLimit.document)
      try reader.verify(bytes, instance.digest, blob.name)
      document = try JSONDocument(name: blob.name, bytes: bytes)
      digest = instance.digest
    }
    var plan = try reader.plan(document, digest: digest)
    plan.indexes = indexes
    if indexes.isEmpty { plan.signatures = try signatures() }
    return [plan]
  }

  /// `signature-1`, `signature-2`, … up to the first that is missing.
  private func signatures() throws(StorageError) -> [[UInt8]] {
    var signatures: [[UInt8]] = []
    while let blob = try container.blob(at: "signature-\(signatures.count + 1)") {
      signatures.append(try blob.contents(limit: DocumentLimit.document))
    }
    return signatures
  }
}
