// SPDX-License-Identifier: Apache-2.0

internal import StowageImage
internal import StowageModel

/// What the configurations and manifests of images say about layers: which is built on which, and what their blobs were.
struct LayerChains {
  private let images: [DiskImage]
  private let byDigest: [Digest: [LayerID]]

  init(_ records: [LayerRecord], _ images: [DiskImage]) {
    self.images = images
    var byDigest: [Digest: [LayerID]] = [:]
    for record in records { if let digest = record.diffDigest { byDigest[digest, default: []].append(record.id) } }
    self.byDigest = byDigest
  }

  /// Completes records; those that are whole stay what they are.
  ///
  /// - Parameter findsParents: whether nothing else tells which layer is built on which.
  func complete(_ records: inout [LayerRecord], findsParents: Bool) {
    var places: [LayerID: Int] = [:]
    for (index, record) in records.enumerated() { places[record.id] = index }
    for image in images {
      var (parent, identity): (LayerID?, LayerID?) = (nil, nil)
      for (number, diffID) in (image.config.diffIDs ?? []).enumerated() {
        // An identifier that cannot be computed is none that a layer has.
        identity = try? LayerIdentity.layerID(diffID: diffID, over: identity)
        guard let layer = layer(diffID, identity, over: parent, records, places, findsParents),
          let place = places[layer]
        else { break }
        if findsParents, records[place].parent == nil { records[place].parent = parent }
        describe(&records[place], number, image)
        parent = layer
      }
    }
  }

  /// The layer with a digest over a parent: that with the identifier that all tools give it, else the only one that fits.
  private func layer(
    _ digest: Digest, _ identity: LayerID?, over parent: LayerID?, _ records: [LayerRecord], _ places: [LayerID: Int],
    _ findsParents: Bool
  ) -> LayerID? {
    let candidates = (byDigest[digest] ?? []).filter { id in
      places[id].map { records[$0].parent == parent || findsParents && records[$0].parent == nil } ?? false
    }
    if let identity, candidates.contains(identity) { return identity }
    return candidates.count == 1 || !findsParents ? candidates.first : nil
  }

  /// What the manifest says about the blob that a layer came in.
  private func describe(_ record: inout LayerRecord, _ number: Int, _ image: DiskImage) {
    guard record.compressedDiffDigest == nil, let blobs = image.manifest?.layers,
      blobs.count == image.config.diffIDs?.count
    else { return }
    let blob = blobs[number]
    record.compressedDiffDigest = blob.digest
    record.compressedSize = blob.size
    if blob.digest != record.diffDigest { record.compression = blob.compression }
  }
}

extension Descriptor {
  /// How the blob is compressed, by its media type.
  fileprivate var compression: Compression {
    if mediaType.hasSuffix("gzip") { return .gzip }
    return mediaType.hasSuffix("zstd") ? .zstd : .none
  }
}
