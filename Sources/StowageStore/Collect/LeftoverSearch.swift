// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageSystem
internal import SystemPackage

/// The search for what is left over of layers. Needs `storage.lock` and the layer locks exclusively.
///
/// Additional image stores are never searched.
struct LayerLeftoverSearch {
  private let topology: StoreTopology
  private(set) var finds: [LeftoverFind] = []
  /// What looks left over and stays, with the reason.
  private(set) var kept: [String] = []

  init(_ store: Store, _ layers: borrowing LayersReading) throws(StorageError) {
    topology = store.topology
    let driver = layers.driver
    // Listed before the records are read: see `KnownLayers`.
    var trees: [(home: LayerLocation.Role, root: FilePath, names: [String])] = []
    for home in topology.layerHomes { trees.append((home.role, home.root, try driver.listLayers(in: home.root))) }
    var data: [(directory: FilePath, names: [String])] = []
    for directory in topology.layers.dataSearch { data.append((directory, try directoryNames(directory))) }
    let known = try KnownLayers(store, layers)
    let mounts = layers.store.mounts(layers)
    var gone: Set<LayerID> = []
    for home in trees {
      gone.formUnion(try findTrees(home.names, home.home, home.root, known, mounts, driver))
      for stray in try driver.strayFinding?.strays(in: home.root, recorded: known.ids) ?? [] {
        finds.append(LeftoverFind(Leftover.Kind(stray.kind), stray.path, .bin(stray.bin)))
      }
    }
    for place in data { try findData(place.names, place.directory, known, gone) }
  }

  /// Trees of layers that nothing speaks of. Returns them.
  private mutating func findTrees(
    _ names: [String], _ role: LayerLocation.Role, _ root: FilePath, _ known: KnownLayers, _ mounts: MountLedger,
    _ driver: any GraphDriver
  ) throws(StorageError) -> [LayerID] {
    let unknown = names.compactMap { LayerID(recorded: $0) }.filter { !known.contains($0) }
    guard let first = unknown.first else { return [] }
    let place = { (id: LayerID) in LayerLocation(id: id, role: role, root: root) }
    let directory = driver.directory(of: place(first)).removingLastComponent()
    guard known.provenRoots.contains(root) else {
      kept.append("\(unknown.count) layers in \(directory): the file that should record them is missing or empty")
      return []
    }
    let mounted = try MountedLayers(in: directory)
    var found: [LayerID] = []
    for id in unknown {
      let path = driver.directory(of: place(id))
      if mounted.contains(id) || mounts[id] != nil {
        kept.append("\(path): it is mounted")
      } else {
        finds.append(LeftoverFind(.layer, path, .driver(place(id))))
        found.append(id)
      }
    }
    return found
  }

  /// Tar-split files and data directories: those that go with a tree, and others whose names look like identifiers
  /// (store-semantics 23.3); temporary files in directories that stay.
  private mutating func findData(
    _ names: [String], _ directory: FilePath, _ known: KnownLayers, _ gone: Set<LayerID>
  ) throws(StorageError) {
    let isProven = topology.layerHomes.allSatisfy { known.provenRoots.contains($0.root) }
    let bin = directory.appending("tmp")
    var others = 0
    for name in names {
      let suffix = ".tar-split.gz"
      let text = name.hasSuffix(suffix) ? String(name.dropLast(suffix.count)) : name
      let path = directory.appending(FilePath(name).components)
      guard let id = LayerID(recorded: text) else { continue }
      if gone.contains(id) {
        finds.append(LeftoverFind(.layerData, path, .bin(bin)))
      } else if known.contains(id) {
        if text == name { finds += temporaryFiles(in: path, bin: bin) }
      } else if looksLikeIdentifier(text) {
        if isProven, !known.missesImageStore {
          finds.append(LeftoverFind(.layerData, path, .bin(bin)))
        } else {
          others += 1
        }
      }
    }
    if others > 0 {
      kept.append("\(others) files in \(directory): they may belong to layers of an image store that is not configured")
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
