// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// What the record files of the stores that may be written have lost, and those of additional stores.
///
/// Needs no locks: record files are replaced as a whole, and are made before what they record. What is found can be restored by
/// another process at any time.
struct RecordLosses: Sendable {
  /// Those of layers first, then images, then containers.
  let all: [RecordLoss]
  /// Those of additional stores. Nothing here is needed by what they name, and they are restored only where they can be written.
  let elsewhere: [RecordLoss]

  /// Looks.
  ///
  /// - Throws: `system` if a directory cannot be read.
  init(_ topology: StoreTopology, _ driver: any GraphDriver) throws(StorageError) {
    var search = LossSearch(topology, driver)
    var losses: [RecordLoss] = []
    for file in topology.recordFiles { losses += try search.losses(of: file) }
    all = losses
    elsewhere = topology.additionalRecordFiles.compactMap { file in
      // What cannot be read at all is told by who needs it.
      (try? search.pending(of: file)) ?? nil
    }
  }

  /// Those that are still to be restored.
  var pending: [RecordLoss] { all.filter(\.isPending) }

  /// Whether something may be there although no record that can be read says so.
  func mayHide(_ kind: RecordLoss.Kind) -> Bool { (all + elsewhere).contains { $0.kind == kind } }

  /// The loss for which unrecorded content of a kind, in one store or anywhere, may be somebody's.
  func first(_ kinds: RecordLoss.Kind..., in root: FilePath? = nil) -> RecordLoss? {
    all.first { kinds.contains($0.kind) && (root == nil || $0.root == root) }
  }
}

extension StoreTopology {
  /// Refuses to go on while records are lost that could name what is to be deleted. Looks at what was loaded under the locks, so
  /// that it costs no more than asking the records.
  ///
  /// - Parameter access: must cover images and containers.
  /// - Throws: `corrupt`.
  func refuseLosses(
    _ layers: borrowing LayersReading, _ access: borrowing StoreReading
  ) throws(StorageError) {
    let driver = layers.driver
    var search = LossSearch(self, layers, access) { driver.mayHave($0) }
    for file in recordFiles { if let loss = try search.pending(of: file) { throw loss.refusal } }
  }

  /// The same for who could not load the records: looks at what is on disk.
  ///
  /// - Throws: `corrupt`.
  func refuseLosses(_ driver: any GraphDriver) throws(StorageError) {
    var search = LossSearch(self, driver)
    for file in recordFiles { if let loss = try search.pending(of: file) { throw loss.refusal } }
  }

  /// Refuses to write a record file that is not there or empty, if it lost what it said: afterwards nothing would show that.
  ///
  /// - Parameter driver: needed for files of layers only.
  /// - Throws: `corrupt`.
  func refuseWriting(_ path: FilePath, _ driver: (any GraphDriver)? = nil) throws(StorageError) {
    guard let file = recordFiles.first(where: { $0.path == path }) else { return }
    var search = LossSearch(self) { driver?.mayHave($0) ?? false }
    if let loss = try search.pending(of: file) { throw loss.refusal }
  }

  /// Refuses to make an image or a container while records of the like are lost, before anything is made for it.
  ///
  /// - Throws: `corrupt`.
  func refuseWriting(_ files: [FilePath]) throws(StorageError) { for file in files { try refuseWriting(file) } }

  /// The images that are recorded in the graph root or its image store, if neither lost records; else none.
  func imagesWithoutLoss() throws(StorageError) -> Set<ImageID> {
    var search = LossSearch(self) { _ in false }
    for file in recordFiles where file.kind == .images { if try !search.losses(of: file).isEmpty { return [] } }
    return Set(search.writtenImages().flatMap(\.records).map(\.id))
  }
}

extension GraphDriver {
  /// Whether there is a tree of a layer that is recorded here, or it cannot be told. What is in an additional layer store other
  /// programs use without a record.
  func mayHave(_ layer: LayerLocation) -> Bool {
    // What cannot be looked at, or whose form cannot be told, may be recorded.
    do throws(StorageError) {
      if try !exists(layer) { return false }
      return try foreignForm(of: layer) != .additionalLayer
    } catch {
      return true
    }
  }
}

extension StoreTopology {
  /// A record file of a store that may be written.
  struct RecordFilePlace: Hashable, Sendable {
    let kind: RecordLoss.Kind
    let path: FilePath
    let root: FilePath
    /// Whether a power cut may take its content; then it counts as empty.
    let isVolatile: Bool
    /// Whether the store is an additional one.
    var isElsewhere = false

    /// Its directory.
    var directory: FilePath { path.removingLastComponent() }
    /// What names of files begin with that keep damaged content.
    var keptPrefix: String { RecordFile<LayerRecord>.keptPrefix(path) }
  }

  /// All record files of the stores that may be written, those of layers first.
  var recordFiles: [RecordFilePlace] {
    var files = layers.documents.map {
      RecordFilePlace(kind: .layers, path: $0.path, root: $0.root, isVolatile: $0.isVolatile)
    }
    for home in layerHomes {
      guard let index = images.indices.first(where: { role(ofImageStore: $0) == home.role }) else { continue }
      let (place, root) = (images[index], home.root)
      files.append(RecordFilePlace(kind: .images, path: place.place.records, root: root, isVolatile: false))
    }
    for (index, path) in containers.documents.enumerated() {
      files.append(RecordFilePlace(kind: .containers, path: path, root: roots.graphRoot, isVolatile: index > 0))
    }
    return files
  }

  /// The files of layers and images of additional stores.
  var additionalRecordFiles: [RecordFilePlace] {
    let layers = additionalLayers.flatMap(\.documents).map {
      RecordFilePlace(kind: .layers, path: $0.path, root: $0.root, isVolatile: $0.isVolatile, isElsewhere: true)
    }
    let images = zip(images.filter { !$0.isWritable }, additionalRoots).map {
      RecordFilePlace(kind: .images, path: $0.place.records, root: $1, isVolatile: false, isElsewhere: true)
    }
    return layers + images
  }
}
