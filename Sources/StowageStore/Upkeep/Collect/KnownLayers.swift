// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// Every layer that any record speaks of: only a tree that is not among them can be a leftover.
///
/// Deliberately more than the records of this configuration, which the reference looks at (store-semantics 27.1.13,
/// 27.2.4; on-disk-format 20.8, 20.9): records of the other mode (transient or not), parents, layers that images and
/// containers name although their record is lost, and what other graph roots need or record.
struct KnownLayers: Sendable {
  /// The layers.
  private(set) var ids: Set<LayerID> = []
  /// Layers with a record that was read; the others are only named.
  private(set) var recorded: Set<LayerID> = []
  /// The roots whose record files have a layer, of those that may be written.
  private var roots: [LayerID: Set<FilePath>] = [:]
  /// What other graph roots record; their trees may be in either place.
  private var foreign: Set<LayerID> = []
  /// Whether this graph root seems to have been used with an image store that this process was not told of. Then files
  /// that belong to layers there look left over.
  private(set) var missesImageStore = false

  /// Gathers them. Trees must have been listed before: a layer is recorded before it is made, so whatever was listed, and
  /// is nowhere recorded now, never was or is no longer.
  ///
  /// - Throws: `corrupt` if a record file or another graph root's registration cannot be read; then nothing may be deleted.
  init(_ store: Store, _ layers: borrowing LayersReading) throws(StorageError) {
    let topology = store.topology
    let files = layers.ask { $0.files }
    for (file, document) in zip(files, topology.layers.documents) {
      add(file.document.records)
      for record in file.document.records { roots[record.id, default: []].insert(document.root) }
    }
    for path in topology.volatileLayers {
      var file = RecordFile<LayerRecord>(path, isFlushed: false)
      try file.load()
      add(file.document.records)
      for record in file.document.records { roots[record.id, default: []].insert(topology.roots.graphRoot) }
    }
    for table in layers.additional { add(table.records) }
    for container in try ContainerRecord.ofBothModes(in: store) { ids.insert(container.layer) }
    let needs = try store.needs(layers)
    ids.formUnion(needs.layers)
    let hasIdentity = try Identity.read(topology.layers.data.identity) != nil
    missesImageStore = topology.roots.imageStore == nil && (hasIdentity || !ids.isSubset(of: recorded))
    foreign = needs.foreign.recorded
    ids.formUnion(foreign)
  }

  private mutating func add(_ records: [LayerRecord]) {
    for record in records {
      recorded.insert(record.id)
      ids.insert(record.id)
      if let parent = record.parent { ids.insert(parent) }
    }
  }

  /// Where a layer is recorded, if that is not the place with the given root: a second tree there is nobody's, if the first is
  /// there. Nil for layers of other graph roots, too.
  func otherPlaces(than root: FilePath, of id: LayerID) -> Set<FilePath>? {
    guard let places = roots[id], !places.contains(root), !foreign.contains(id) else { return nil }
    return places
  }

  /// Whether a layer is recorded or named anywhere.
  func contains(_ id: LayerID) -> Bool { ids.contains(id) }
}

extension ContainerRecord {
  /// The containers of both modes, transient and not.
  fileprivate static func ofBothModes(in store: Store) throws(StorageError) -> [ContainerRecord] {
    var containers = try store.read([.containers]) { (access) throws(StorageError) in access.containers.records }
    for path in store.topology.volatileContainers {
      var file = RecordFile<ContainerRecord>(path, isFlushed: false)
      try file.load()
      containers += file.document.records
    }
    return containers
  }
}

/// The layers of one home that are mounted, or mounted below others, as this process sees it.
struct MountedLayers: Sendable {
  private let mounted: Set<String>
  private let overlayOptions: [String]

  /// Looks at the mount table. `directory` has the layers' directories.
  init(in directory: FilePath) throws(StorageError) {
    let entries = try attempt("read", "/proc/self/mountinfo") { () throws(Errno) in try MountTable.entries() }
    let home = MountTable.canonical(directory)
    mounted = Set(
      entries.compactMap { entry in
        guard entry.mountPoint.starts(with: home), entry.mountPoint.components.count > home.components.count else {
          return nil
        }
        return entry.mountPoint.components.dropFirst(home.components.count).first?.string
      })
    overlayOptions = entries.filter { $0.type.contains("overlay") }.map(\.superOptions)
  }

  /// Whether something is mounted in the layer's directory, or an overlay mount has it as an upper or lower directory.
  func contains(_ id: LayerID) -> Bool {
    mounted.contains(id.rawValue) || overlayOptions.contains { $0.contains("/\(id)/diff") }
  }
}
