// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageModel
internal import StowageRecords
internal import SystemPackage

/// Makes a layer in the driver without a record.
struct DriverLayerCreation {
  let store: Store
  /// What is wanted; the parent is the driver's, not resolved.
  let request: LayerCreation

  /// Makes the layer.
  ///
  /// - Returns: the identifier.
  /// - Throws: `invalidIdentifier`, `layerUnknown`; `duplicateID` if the layer is recorded; `corrupt` if a lost record may
  ///   name what stands there; `system`.
  func run() throws(StorageError) -> String {
    let id = try LayerResolution.newID(request.id)
    let location = LayerLocation(id: id, role: .graphRoot, root: store.topology.roots.graphRoot)
    let create = LayerCreateOptions(
      mountLabel: request.mountLabel, idMaps: request.idMaps.maps, isReadWrite: request.isWritable,
      storageOptions: request.storageOptions)
    var attempts = 0
    while true {
      attempts += 1
      let driver = try store.drivers.current()
      let (parents, source) = try store.read([.layers]) { (access) throws(StorageError) in
        try basis(access.layers)
      }
      var staged: StagedLayer?
      // What changes during the copy is noticed, apart from the last time, when it is made under the lock.
      if source != nil, attempts < ContentStaging.mostCopies {
        do throws(StorageError) {
          staged = try driver.stage(over: parents, targetRoot: location.root, create)
        } catch {
          // A copy of what others are replacing fails anywhere.
          let (now, state) = try store.read([.layers]) { (access) throws(StorageError) in try basis(access.layers) }
          if state == source, now == parents { throw error }
          continue
        }
      }
      let isMade = try store.write([.driver, .ownLayers]) { (access) throws(StorageError) -> Bool in
        let layers = access.layers
        if layers.reading.primary(id) != nil { throw StorageError(.duplicateID, subject: id.rawValue) }
        try store.topology.refuseClearing(location, layers.driver)
        let (now, state) = try basis(layers.reading)
        if staged != nil, state != source || now != parents { return false }
        try layers.driver.create(location, over: now, create, staged: staged.take())
        try layers.driver.flushNames(of: [location])
        return true
      }
      if isMade { return id.rawValue }
    }
  }

  /// The driver's chain for a layer without record, whose parent need not be recorded either, and the parent's state if the
  /// driver copies it.
  private func basis(_ layers: borrowing LayersReading) throws(StorageError) -> ([LayerLocation], LayerState?) {
    guard let parent = request.parent, !parent.isEmpty else { return ([], nil) }
    guard let id = LayerID(recorded: parent) else { throw StorageError(.layerUnknown, subject: parent) }
    let copies = layers.driver.traits.copiesParent
    let location = LayerLocation(id: id, role: .graphRoot, root: store.topology.roots.graphRoot)
    guard let known = layers.primary(id) else {
      return ([location], copies ? LayerState(unrecorded: location, layers.driver) : nil)
    }
    return ([location] + (try layers.chain(of: known)), copies ? LayerState(of: known, layers) : nil)
  }
}
