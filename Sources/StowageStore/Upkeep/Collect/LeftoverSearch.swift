// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// The search for what is left over of layers. Needs `storage.lock` and the layer locks exclusively.
///
/// Additional image stores are never searched.
struct LayerLeftoverSearch {
  private let topology: StoreTopology
  private let losses: RecordLosses
  private(set) var finds: [LeftoverFind] = []
  /// What looks left over and stays, with the reason.
  private(set) var kept: [String] = []

  /// What a driver has in one home.
  private struct Trees {
    let role: LayerLocation.Role
    let root: FilePath
    let names: [String]
  }

  init(_ store: Store, _ layers: borrowing LayersReading, _ losses: RecordLosses) throws(StorageError) {
    self.losses = losses
    topology = store.topology
    let driver = layers.driver
    // Listed before the records are read: see `KnownLayers`.
    var trees: [Trees] = []
    for home in topology.layerHomes {
      trees.append(Trees(role: home.role, root: home.root, names: try driver.listLayers(in: home.root)))
    }
    var data: [(directory: LayerDirectory, names: [String])] = []
    for directory in topology.layers.dataSearch { data.append((directory, try directoryNames(directory.path))) }
    let known = try KnownLayers(store, layers)
    var gone: Set<LayerID> = []
    for home in trees {
      gone.formUnion(try findTrees(home, beside: trees, known, layers))
      for stray in try driver.strayFinding?.strays(in: home.root, recorded: known.ids) ?? [] {
        finds.append(LeftoverFind(Leftover.Kind(stray.kind), stray.path, .bin(stray.bin)))
      }
    }
    for place in data { try findData(place.names, place.directory, known, gone) }
  }

  /// Trees of layers that nothing speaks of, and second trees of layers that are recorded, and are, in another place. Returns
  /// the former.
  private mutating func findTrees(
    _ trees: Trees, beside all: [Trees], _ known: KnownLayers, _ layers: borrowing LayersReading
  ) throws(StorageError) -> [LayerID] {
    let (driver, mounts) = (layers.driver, layers.mounts)
    let (role, root) = (trees.role, trees.root)
    let unknown = trees.names.compactMap { LayerID(recorded: $0) }.filter { id in
      if !known.contains(id) { return true }
      guard let places = known.otherPlaces(than: root, of: id) else { return false }
      return all.contains { places.contains($0.root) && $0.names.contains(id.rawValue) }
    }
    guard let first = unknown.first else { return [] }
    let place = { (id: LayerID) in LayerLocation(id: id, role: role, root: root) }
    let directory = driver.directory(of: place(first)).removingLastComponent()
    if let loss = losses.first(.layers, in: root) {
      kept.append("\(unknown.count) layers in \(directory): \(loss.reasonToKeep)")
      return []
    }
    let mounted = try MountedLayers(in: directory)
    var found: [LayerID] = []
    for id in unknown {
      let path = driver.directory(of: place(id))
      if mounted.contains(id) || mounts[id] != nil {
        kept.append("\(path): it is mounted")
      } else if let form = try driver.foreignForm(of: place(id)) {
        kept.append("\(path): it \(form.phrase), which other programs may need without a record")
      } else {
        finds.append(LeftoverFind(.layer, path, .driver(place(id))))
        if !known.contains(id) { found.append(id) }
      }
    }
    return found
  }

  /// Tar-split files and data directories: those that go with a tree, and others whose names look like identifiers
  /// (store-semantics 23.3); temporary files in directories that stay.
  private mutating func findData(
    _ names: [String], _ directory: LayerDirectory, _ known: KnownLayers, _ gone: Set<LayerID>
  ) throws(StorageError) {
    // In the graph root are those of layers of both places.
    let isShared =
      topology.roots.imageStore.map { directory == LayerDirectory($0, driver: topology.driverName) } ?? false
    let loss = losses.first(.layers, in: isShared ? topology.roots.imageStore : nil)
    let documents = topology.layers.documents.filter { !$0.isVolatile && (!isShared || $0.role == .imageStore) }
    // Without the file of a store that had no layer yet nothing shows whose they are.
    let isUnproven = documents.contains { !Syscall.exists($0.path) }
    let bin = directory.temporary
    var others = 0
    for name in names {
      let (text, isTarSplit) = LayerDirectory.owner(of: name)
      let path = directory.path.appending(FilePath(name).components)
      guard let id = LayerID(recorded: text) else { continue }
      if gone.contains(id) {
        finds.append(LeftoverFind(.layerData, path, .bin(bin)))
      } else if known.contains(id) {
        if !isTarSplit { finds += temporaryFiles(in: path, bin: bin) }
      } else if looksLikeIdentifier(text) {
        if loss == nil, !isUnproven, !known.missesImageStore {
          finds.append(LeftoverFind(.layerData, path, .bin(bin)))
        } else {
          others += 1
        }
      }
    }
    if others > 0 {
      let reason =
        known.missesImageStore
        ? "they may belong to layers of an image store that is not configured"
        : loss?.reasonToKeep ?? "there is no file yet that would record their layers"
      kept.append("\(others) files in \(directory.path): \(reason)")
    }
  }
}

/// The names in a directory, sorted; none if it is missing.
func directoryNames(_ directory: FilePath) throws(StorageError) -> [String] {
  do throws(Errno) {
    return try Syscall.directoryNames(directory).map { String(decoding: $0, as: UTF8.self) }.sorted()
  } catch .noSuchFileOrDirectory {
    return []
  } catch {
    throw .failed("read", directory, error)
  }
}

/// Temporary files of item writes that were not finished: other implementations make them beside the item
/// (on-disk-format 3). Needs the lock under which items there are written, exclusively.
func temporaryFiles(in directory: FilePath, bin: FilePath) -> [LeftoverFind] {
  StaleFiles.find(in: [directory]).map { LeftoverFind(.temporary, $0, .bin(bin)) }
}

extension Leftover.Kind {
  /// What a driver's stray is.
  init(_ kind: DriverStray.Kind) {
    switch kind {
    case .link: self = .link
    case .staging: self = .staging
    case .probe: self = .probe
    case .temporary: self = .temporary
    }
  }
}
