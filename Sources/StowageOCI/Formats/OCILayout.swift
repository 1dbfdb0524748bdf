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

  /// Plans every image of the layout, in the order of `index.json`; of images with one name for several platforms only the one
  /// that fits best. What is no image is passed over.
  ///
  /// - Parameter platform: of images for several platforms this one's is taken.
  /// - Throws: `notSupported` if there are artifacts only.
  func plans(for platform: Platform) throws(StorageError) -> [ImagePlan] {
    var passedOver: StorageError?
    var found: [Candidate] = []
    for entry in try ImageIndex(index).manifests {
      do throws(StorageError) {
        if entry.isNoImage {
          throw StorageError(
            .notSupported, "\(index.name): \(entry.digest) is no image but tells about one, or is an artifact")
        }
        let plan = try plan(entry, platform)
        found.append(Candidate(plan: plan, platform: entry.platform ?? plan.platform))
      } catch {
        guard error.code == .notSupported else { throw error }
        if let passedOver { Log.warning("passed over: \(passedOver.message)") }
        passedOver = error
      }
    }
    if let passedOver {
      if found.isEmpty { throw passedOver }
      Log.warning("passed over: \(passedOver.message)")
    }
    guard !found.isEmpty else { throw index.error("no image in the index") }
    return try chosen(found, platform)
  }

  /// An image of the layout.
  private struct Candidate {
    let plan: ImagePlan
    /// What it is for, as far as known.
    let platform: Platform
  }

  /// One image for each name; others are told of.
  private func chosen(_ all: [Candidate], _ wanted: Platform) throws(StorageError) -> [ImagePlan] {
    var rivals: [String: [Candidate]] = [:]
    for candidate in all { for name in candidate.plan.names { rivals[name, default: []].append(candidate) } }
    var plans: [ImagePlan] = []
    for candidate in all {
      guard let name = candidate.plan.names.first, let group = rivals[name],
        group.contains(where: { $0.plan.configDigest != candidate.plan.configDigest })
      else {
        plans.append(candidate.plan)
        continue
      }
      let ranked = group.compactMap { rival in wanted.preference(for: rival.platform).map { (rank: $0, rival: rival) } }
      guard let best = ranked.min(by: { $0.rank < $1.rank })?.rival.plan else {
        throw index.error(
          "\(name) is for several platforms, but not for \(wanted): "
            + group.map(\.platform.description).joined(separator: ", ") + "; choose one with --platform")
      }
      if best.configDigest == candidate.plan.configDigest {
        plans.append(candidate.plan)
      } else {
        Log.warning(
          "\(name): the image for \(candidate.platform) is not loaded, as that for \(wanted) has the name; "
            + "--platform loads another one")
      }
    }
    return plans
  }

  private func plan(_ entry: Descriptor, _ platform: Platform) throws(StorageError) -> ImagePlan {
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
      descriptor = try ImageIndex(document).instance(for: platform)
    }
  }

  private func name(of entry: Descriptor) -> String? {
    guard usesAnnotations else { return nil }
    for key in [OCILayout.fullName, "org.opencontainers.image.ref.name"] {
      if let name = entry.annotations[key], !name.isEmpty { return name }
    }
    return nil
  }

  /// The annotation with a name that has a registry.
  private static let fullName = "io.containerd.image.name"
}
