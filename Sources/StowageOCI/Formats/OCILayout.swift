// SPDX-License-Identifier: Apache-2.0

import StowageImage
import StowageModel

/// An OCI image layout in a directory or a tar file.
struct OCILayout {
  /// How deep an index may point to further indexes.
  private static let deepestIndex = 4

  private let reader: BlobReader
  private let index: JSONDocument
  private let usesAnnotations: Bool

  /// Recognises a layout by its `index.json`; nil if there is none.
  ///
  /// - Parameter usesAnnotations: Whether images are named by annotations; Podman does so for archives, not for
  ///   directories (chunked-and-composefs 5.8).
  /// - Throws: `invalidArchive` if `index.json` is there but no JSON.
  init?(_ container: any BlobContainer, usesAnnotations: Bool) throws(StorageError) {
    guard let blob = try container.blob(at: "index.json") else { return nil }
    index = try JSONDocument(name: blob.name, bytes: try blob.contents(limit: DocumentLimit.document))
    reader = BlobReader(container: container) { "blobs/\($0.algorithm)/\($0.hex)" }
    self.usesAnnotations = usesAnnotations
  }

  /// The entries of `index.json`.
  func entries() throws(StorageError) -> [Descriptor] { try ImageIndex(index).manifests }

  /// Plans every image of the layout, in the order of `index.json`.
  func plans() throws(StorageError) -> [ImagePlan] {
    let entries = try self.entries()
    guard !entries.isEmpty else { throw index.error("no image in the index") }
    var plans: [ImagePlan] = []
    for entry in entries { plans.append(try plan(entry)) }
    return plans
  }

  private func plan(_ entry: Descriptor) throws(StorageError) -> ImagePlan {
    var indexes: [(digest: Digest, bytes: [UInt8])] = []
    var descriptor = entry
    while true {
      let document = try reader.document(descriptor)
      guard ImageIndex.matches(document, mediaType: descriptor.mediaType) else {
        var plan = try reader.plan(document, digest: descriptor.digest)
        plan.indexes = indexes
        if let name = name(of: entry) { plan.names = [try ImageName(normalizing: name).description] }
        return plan
      }
      guard indexes.count < OCILayout.deepestIndex else { throw document.error("indexes point to indexes too deeply") }
      indexes.append((descriptor.digest, document.bytes))
      descriptor = try ImageIndex(document).instance(for: .current)
    }
  }

  private func name(of entry: Descriptor) -> String? {
    guard usesAnnotations else { return nil }
    for key in ["io.containerd.image.name", "org.opencontainers.image.ref.name"] {
      if let name = entry.annotations[key], !name.isEmpty { return name }
    }
    return nil
  }
}
