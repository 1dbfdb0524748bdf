// SPDX-License-Identifier: Apache-2.0

internal import StowageConfig
internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import SystemPackage

/// Layers that begin as copies: made in a staged directory without a lock, and compared with their source when the lock is
/// held again.
extension Store {
  /// How often a copy is made when its source changes meanwhile.
  static let mostCopies = 3

  /// Copies the content that a new layer begins with, if the driver's layers are copies or owners are to be changed; `nil`
  /// if there is nothing to copy.
  ///
  /// - Throws: `layerUnknown` if that layer has vanished, `busy` if it changed: try again from the beginning.
  func stageCopy(for new: NewLayer) throws(StorageError) -> StagedContent? {
    guard new.source != nil else { return nil }
    let driver = try drivers.current()
    let tree: StagedLayer
    do throws(StorageError) { tree = try beginTree(of: new, driver) } catch {
      // Failures to change owners have the reference's words already.
      let isClear = error.code == .layerUnknown || error.code == .busy || new.options.shift != nil
      throw isClear ? error : new.failure(error)
    }
    if driver.syncPolicy == .fileSystem { try syncFileSystem(of: tree.tree) }
    do throws(StorageError) {
      let tarSplit = try new.templateTarSplit.map { (file) throws(StorageError) in try copyTarSplit(file) }
      return StagedContent(layer: consume tree, source: new.source, diff: tarSplit)
    } catch {
      throw try reason(error, new)
    }
  }

  /// Lets the driver begin the tree of a new layer.
  func beginTree(of new: NewLayer, _ driver: any GraphDriver) throws(StorageError) -> StagedLayer {
    do throws(StorageError) {
      return try driver.stage(over: new.chain, targetRoot: new.location.root, new.options)
    } catch {
      throw try reason(error, new)
    }
  }

  /// Why a copy failed: one of what others are deleting fails anywhere, and that reason is worth more than the place.
  private func reason(_ error: StorageError, _ new: NewLayer) throws(StorageError) -> StorageError {
    if new.source != nil {
      try read([.layers]) { (access) throws(StorageError) in try new.recheckBasis(access.layers) }
    }
    return error
  }

  /// Makes a layer in the driver only.
  func createLayerInDriver(_ request: LayerCreation) throws(StorageError) -> String {
    let id = try newLayerID(request.id)
    let location = LayerLocation(id: id, role: .graphRoot, root: topology.roots.graphRoot)
    let create = LayerCreateOptions(
      mountLabel: request.mountLabel, idMaps: request.idMaps.maps, isReadWrite: request.isWritable,
      storageOptions: request.storageOptions)
    var attempts = 0
    while true {
      attempts += 1
      let driver = try drivers.current()
      let (parents, source) = try read([.layers]) { (access) throws(StorageError) in
        try unrecordedParents(request.parent, access.layers)
      }
      var staged: StagedLayer?
      // What changes during the copy is noticed, apart from the last time, when it is made under the lock.
      if source != nil, attempts < Store.mostCopies {
        staged = try driver.stage(over: parents, targetRoot: location.root, create)
      }
      let isMade = try write([.driver, .ownLayers]) { (access) throws(StorageError) -> Bool in
        let layers = access.layers
        let (now, state) = try unrecordedParents(request.parent, layers.reading)
        if staged != nil, state != source || now != parents { return false }
        try layers.driver.create(location, over: now, create, staged: staged.take())
        return true
      }
      if isMade { return id.rawValue }
    }
  }

  /// The driver's chain for a layer without record, whose parent need not be recorded either, and the parent's state if the
  /// driver copies it.
  private func unrecordedParents(
    _ parent: String?, _ layers: borrowing LayersReading
  ) throws(StorageError) -> ([LayerLocation], LayerState?) {
    guard let parent, !parent.isEmpty else { return ([], nil) }
    guard let id = LayerID(recorded: parent) else { throw StorageError(.layerUnknown, subject: parent) }
    let copies = layers.driver.traits.copiesParent
    let location = LayerLocation(id: id, role: .graphRoot, root: topology.roots.graphRoot)
    guard let known = layers.primary(id) else {
      return ([location], copies ? LayerState(unrecorded: location, layers.driver) : nil)
    }
    return ([location] + (try layers.chain(of: known)), copies ? LayerState(of: known, layers) : nil)
  }
}

extension NewLayer {
  /// Makes sure the basis is still what it was when the layer was resolved; needs a lock.
  ///
  /// - Throws: `layerUnknown` if it is gone, `busy` if it is another one now.
  func recheckBasis(_ layers: borrowing LayersReading) throws(StorageError) {
    guard let basis else { return }
    guard let now = layers.find(basis.id, near: basis.location.role), now.location == basis.location else {
      throw StorageError(.layerUnknown, subject: basis.id.rawValue)
    }
    if now.record.idMaps != basis.record.idMaps { throw basisChanged("changed id mappings") }
    if let source, LayerState(of: now, layers) != source { throw basisChanged("changed") }
  }

  /// Makes sure content was staged over what the layer's basis is now; `staged` is what it was staged over.
  ///
  /// - Throws: `busy`.
  func checkSource(_ staged: LayerState?) throws(StorageError) {
    if staged != source { throw basisChanged("changed") }
  }

  func basisChanged(_ what: String) -> StorageError {
    StorageError(
      .busy,
      "error during staged layer apply, parent layer \(goQuoted(basis?.id.rawValue ?? "")) \(what) while the content was "
        + "extracted, must retry layer creation", subject: basis?.id.rawValue)
  }
}
