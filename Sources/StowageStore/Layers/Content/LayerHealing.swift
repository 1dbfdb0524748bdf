// SPDX-License-Identifier: Apache-2.0

internal import StowageDiff
internal import StowageDriverAPI
internal import StowageFiles
package import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// What a recorded layer has lost.
package enum LayerDamage: Hashable, Sendable {
  /// Its tree.
  case tree
  /// The file with which its archive is made again.
  case tarSplit
}

extension LayerOperations {
  /// What a layer of the stores that may be written has lost, by a look that costs no more than reading its tar-split file.
  /// Layers in forms that have no such file are whole without it.
  ///
  /// - Returns: `nil` if it has lost nothing, or is in an additional store.
  /// - Throws: `layerUnknown`; `system` if it cannot be told.
  package func damage(of id: LayerID) throws(StorageError) -> LayerDamage? {
    let subject = try store.read([.layers]) { (access) throws(StorageError) -> LayerSubject in
      let layers = access.layers
      guard let layer = layers.find(id) else { throw StorageError(.layerUnknown, subject: id.rawValue) }
      return LayerSubject(layer, layers)
    }
    return subject.layer.location.isWritable ? try LayerHealing.damage(subject) : nil
  }

  /// Gives a layer back what it has lost, from the diff that it was made of. Nothing else of it changes, and what is built on
  /// it stays.
  ///
  /// - Throws: `busy` if it changed meanwhile; `digestMismatch` if it is another diff; as
  ///   ``put(_:diff:expecting:progress:isCancelled:)``.
  package func heal(_ id: LayerID, diff: LayerInput, expecting: ExpectedDiff) throws(StorageError) {
    let request = DiffRequest(input: diff, expecting: expecting, progress: nil, isCancelled: nil)
    try LayerHealing(store: store, layer: id, diff: request).run()
  }
}

extension LayerOperations {
  /// Makes a damaged tar-split file again of the layer's tree, if that still gives the archive that is recorded.
  ///
  /// - Throws: `digestMismatch` if it does not; as ``heal(_:diff:expecting:)``.
  func healTarSplit(of id: LayerID) throws(StorageError) {
    guard try damage(of: id) == .tarSplit else { return }
    let directory = try StagedDirectory.create(in: store.topology.layers.data.temporary)
    let archive = directory.addition()
    let digest = try store.read([.layers]) { (access) throws(StorageError) -> Digest? in
      let layers = access.layers
      let file = try attempt("open", archive) { () throws(Errno) in
        try Syscall.open(archive, [.writeOnly, .create, .exclusive], mode: 0o600)
      }
      try LayerComparison(of: id.rawValue, from: nil, layers, store)
        .write(to: .descriptor(file.rawValue), Compression.none, isStrict: false, layers, isAnew: true)
      return layers.find(id)?.record.diffDigest
    }
    try heal(id, diff: .file(archive.string), expecting: ExpectedDiff(diffDigest: digest))
    try directory.finish()
  }
}

/// Gives a layer back its tree or its tar-split file.
struct LayerHealing {
  private let store: Store
  private let id: LayerID
  private let diff: DiffRequest

  init(store: Store, layer id: LayerID, diff: DiffRequest) {
    self.store = store
    self.id = id
    self.diff = diff
  }

  /// See ``LayerOperations/damage(of:)``.
  static func damage(_ subject: LayerSubject) throws(StorageError) -> LayerDamage? {
    for root in try subject.contentRoots.get().prefix(1) {
      do throws(Errno) {
        guard try Syscall.lstat(root).isDirectory else { return .tree }
      } catch {
        if error == .noSuchFileOrDirectory || error == .notDirectory { return .tree }
        throw .failed("stat", root, error)
      }
    }
    if !subject.layer.record.hasTarSplit { return nil }
    return try subject.readableTarSplit() == nil ? .tarSplit : nil
  }

  /// Heals: the content is extracted without a lock, and put in place under it. Each step leaves less damage than there was, so
  /// that after a crash the rest can be healed.
  func run() throws(StorageError) {
    let (subject, new) = try store.read([.layers]) { (access) throws(StorageError) -> (LayerSubject, NewLayer) in
      let layers = access.layers
      guard let layer = layers.primary(id) else { throw StorageError(.layerUnknown, subject: id.rawValue) }
      return (LayerSubject(layer, layers), try newLayer(like: layer, layers))
    }
    guard let damage = try LayerHealing.damage(subject) else { return }
    Log.warning("layer \(id) has lost its \(damage == .tree ? "tree" : "tar-split file"), which is made again")
    var staged: StagedContent? = try ContentStaging(store).stage(new, diff)
    try store.write([.layers]) { (access) throws(StorageError) in
      let layers = access.layers
      guard layers.reading.isUnchanged(subject) else {
        throw StorageError(.busy, "layer \(id) changed while it was healed: start again", subject: id.rawValue)
      }
      try new.recheckBasis(layers.reading)
      guard let tarSplit = staged?.diff?.tarSplit else { return }
      if damage == .tree {
        try layers.adoptParents(&staged, over: new.chain)
        try layers.driver.create(new.location, over: new.chain, new.options, staged: staged?.layer.take())
        try layers.driver.flushNames(of: [new.location])
      }
      try layers.placeTarSplits([(tarSplit, new.location)])
      // The tree has another short name than what is built on it knows.
      if damage == .tree { try layers.repairLinks(of: id) }
    }
  }

  /// The layer as one that is to be made where it is recorded.
  private func newLayer(
    like layer: FoundLayer, _ layers: borrowing LayersReading
  ) throws(StorageError) -> NewLayer {
    var options = LayerCreateOptions(mountLabel: layer.record.mountLabel, idMaps: layer.record.idMaps)
    options.isReadWrite = false
    var new = NewLayer(
      record: layer.record, document: 0, location: layer.location, chain: [], options: options, bigData: [])
    if let parent = layer.record.parent {
      guard let basis = layers.find(parent, near: layer.location.role) else {
        throw StorageError(.layerUnknown, subject: parent.rawValue)
      }
      try new.begin(with: basis, layers)
    }
    return new
  }
}

extension LayerRecord {
  /// Whether the layer came as an archive whose form is kept in a tar-split file; partly pulled ones keep other things.
  var hasTarSplit: Bool {
    diffDigest != nil && tocDigest == nil && !bigDataNames.contains { $0.hasPrefix("zstd-chunked") }
  }
}
