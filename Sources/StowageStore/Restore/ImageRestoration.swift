// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageImage
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// Finds the records of images in what is on disk.
struct ImageRestoration {
  private let topology: StoreTopology
  private let images: DiskImages
  private let layers: [LayerID: LayerRecord]
  private let byDigest: [Digest: [LayerID]]
  private var restored: [FilePath: [ImageRecord]] = [:]

  init(_ topology: StoreTopology, _ images: DiskImages, _ layers: [LayerRecord]) {
    self.topology = topology
    self.images = images
    self.layers = Dictionary(layers.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    var byDigest: [Digest: [LayerID]] = [:]
    for record in layers { if let digest = record.diffDigest { byDigest[digest, default: []].append(record.id) } }
    self.byDigest = byDigest
  }

  /// All records there are now.
  func all() throws(StorageError) -> [ImageRecord] {
    var records: [ImageRecord] = []
    for place in topology.images where place.isWritable {
      let path = place.place.records
      if let known = restored[path] {
        records += known
      } else {
        records += try RecordDocument.readable(at: path).records
      }
    }
    return records
  }

  /// Adds the records that a file lost.
  mutating func restore(
    _ loss: RecordLoss, _ document: inout RecordDocument<ImageRecord>, _ result: inout RestoredRecords
  ) throws(StorageError) {
    let path = FilePath(loss.path)
    restored[path] = document.records
    let known = Set(try all().map(\.id))
    let directory = path.removingLastComponent()
    for (id, image) in try images.inDirectory(directory).sorted(by: { $0.key < $1.key }) where !known.contains(id) {
      do throws(StorageError) {
        let image = try image.get()
        let top = try topLayer(of: image)
        let time = try attempt("stat", directory) { () throws(Errno) in
          try Syscall.lstat(directory.appending(id.rawValue))
        }.modificationTime
        document.append(image.record(over: top, createdElse: Timestamp(seconds: time.seconds)))
      } catch {
        result.unproven.append("image \(id): \(error)")
      }
    }
    restored[path] = document.records
  }

  /// The layer whose chain has the digests of a configuration; `nil` for an image without layers.
  private func topLayer(of image: DiskImage) throws(StorageError) -> LayerID? {
    guard let digests = image.config.diffIDs, let last = digests.last else { return nil }
    let fitting = (byDigest[last] ?? []).filter { has(digests, $0) }
    if fitting.isEmpty { throw StorageError(.corrupt, "no chain of layers has the digests of its configuration") }
    var identity: LayerID?
    for digest in digests { identity = try LayerIdentity.layerID(diffID: digest, over: identity) }
    return fitting.first { $0 == identity } ?? fitting.min()
  }

  private func has(_ digests: [Digest], _ top: LayerID) -> Bool {
    var next: LayerID? = top
    for digest in digests.reversed() {
      guard let id = next, let record = layers[id], record.diffDigest == digest else { return false }
      next = record.parent
    }
    return next == nil
  }
}
