// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
public import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

extension Store {
  /// The directories this store is made of: graph root, image store, additional stores in search order, run root.
  ///
  /// The numbers are those of one moment; who holds a lock is looked up without taking any.
  /// - Throws: what listing throws; `corrupt` for a damaged registration of another graph root.
  public func places() throws(StorageError) -> [StorePlace] {
    let losses = try RecordLosses(topology, try drivers.current()).pending
    // Before our own locks are taken, which would be shown otherwise.
    let locks = topology.holders()
    var layers: [LayerLocation.Role: Int] = [:]
    _ = try readUnlessLost(.layers, losses) { (access) throws(StorageError) in layers = access.layers.numbersByRole() }
    let uses = try ForeignUses(topology)
    let images =
      try readUnlessLost(.images, losses) { (access) throws(StorageError) in access.images.tables.map(\.records.count) }
      ?? []
    let containers =
      try readUnlessLost(.containers, losses) { (access) throws(StorageError) in access.containers.records.count } ?? 0
    var places: [StorePlace] = []
    for home in topology.allHomes {
      let number = images.indices.first { topology.role(ofImageStore: $0) == home.role }.map { images[$0] }
      var place = StorePlace(
        home.role.placeRole, home.root, isWritable: home.role.isOwn, locks: locks[home.root] ?? [])
      (place.layers, place.images) = (layers[home.role] ?? 0, number ?? 0)
      if home.role == .graphRoot { place.containers = containers }
      if home.role == topology.sharedRole { place.dependents = uses.dependents }
      place.losses = losses.filter { $0.root == home.root }.map(\.text)
      places.append(place)
    }
    let run = topology.roots.runRoot
    places.append(StorePlace(.runRoot, run, isWritable: true, locks: locks[run] ?? []))
    return places
  }

  /// Reads a part; nil if its records are lost and cannot be read.
  private func readUnlessLost<R>(
    _ kind: RecordLoss.Kind, _ losses: [RecordLoss], _ body: (borrowing StoreReading) throws(StorageError) -> R
  ) throws(StorageError) -> R? {
    let part: StoreParts = kind == .layers ? .layers : kind == .images ? .images : .containers
    do throws(StorageError) { return try read(part, body) } catch {
      if error.code == .corrupt, losses.contains(where: { $0.kind == kind }) { return nil }
      throw error
    }
  }
}

extension StoreTopology {
  /// The lock files of each place that exist, with their holders.
  fileprivate func holders() -> [FilePath: [StorePlace.Lock]] {
    var locks: [FilePath: [StorePlace.Lock]] = [:]
    for (root, path) in lockFiles where Syscall.exists(path) {
      let holders = LockHolder.all(of: path).map {
        StorePlace.Holder(pid: $0.pid, command: $0.command, isExclusive: $0.kind == .write)
      }
      locks[root, default: []].append(StorePlace.Lock(path: path.string, holders: holders))
    }
    return locks
  }
}

extension LayerLocation.Role {
  fileprivate var placeRole: StorePlace.Role {
    switch self {
    case .graphRoot: .graphRoot
    case .imageStore: .imageStore
    case .additionalImageStore: .additionalStore
    }
  }

  /// Whether the opened store writes there.
  fileprivate var isOwn: Bool { placeRole != .additionalStore }
}

extension LayersReading {
  /// How many layers each store has, shadowed ones included.
  fileprivate func numbersByRole() -> [LayerLocation.Role: Int] {
    var numbers: [LayerLocation.Role: Int] = [:]
    ask { table in
      for (file, document) in zip(table.files, store.topology.layers.documents) {
        numbers[document.role, default: 0] += file.document.records.count
      }
    }
    for (index, table) in additional.enumerated() {
      numbers[.additionalImageStore(index)] = table.records.count
    }
    return numbers
  }
}

extension ForeignUses {
  /// The graph roots and how many of their layers need this store, by path.
  fileprivate var dependents: [StorePlace.Dependent] {
    Dictionary(grouping: byParent.values.joined()) { [$0.graphRoot, $0.registration] }.values.compactMap { uses in
      guard let use = uses.first else { return nil }
      return StorePlace.Dependent(
        graphRoot: use.graphRoot, layers: Set(uses.map(\.child)).count, absence: use.absence?.rawValue)
    }.sorted { ($0.graphRoot, $0.absence ?? "") < ($1.graphRoot, $1.absence ?? "") }
  }
}

extension StorePlace {
  /// A place without content. A file system that cannot be asked is told as one that is not there.
  fileprivate init(_ role: Role, _ root: FilePath, isWritable: Bool, locks: [Lock]) {
    let system = try? Syscall.statfs(root)
    let block = system?.blockSize ?? 0
    self.init(
      role: role, path: root.string, exists: system != nil, isWritable: isWritable,
      fileSystem: system.map { BackingFileSystem(magic: UInt32(truncatingIfNeeded: $0.magic)).name } ?? "",
      totalBytes: (system?.blocks ?? 0) &* block, freeBytes: (system?.availableBlocks ?? 0) &* block, locks: locks,
      layers: 0, images: 0, containers: 0, losses: [], dependents: [])
  }
}
