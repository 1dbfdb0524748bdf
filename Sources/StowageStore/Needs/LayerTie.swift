// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// Ties the fate of a layer to the record of an image or container, in a flag of the layer's record.
///
/// Two files cannot be replaced at once. While an object and its layers are made or deleted, the layers carry this
/// flag.
/// If the process dies, the next opener looks whether the object's record exists: if so, the layers belong to it and
/// are
/// complete, and the flag goes; if not, the layers go. Other implementations keep the flag and ignore it.
struct LayerTie: Hashable, Sendable {
  /// What a layer can be tied to.
  enum Kind: String, Sendable {
    case image
    case container
    /// Mounts of the layers that `id` lists: the layer is the old place of one that was moved while it was in use.
    case mounts
    /// An image that is to list the layer among its mapped top layers.
    case mapping
    /// Content for the layer itself, which is there if its tree has the inode that `id` names.
    case content
    /// The layer of that name in the other place: this one is a copy that comes or leaves. It is not `incomplete`: other programs
    /// delete layers that are, wherever they find the tree.
    case relocation
  }

  /// The flag's key.
  static let key = "stowage-owner"

  /// The kind of object.
  let kind: Kind
  /// The object's identifier.
  let id: String
  /// The number of the instance lock that the maker holds while it lives; `nil` if it holds the layer lock itself.
  let lock: String?
  /// The identifier of the graph root whose mounts count; `nil` for that which is opened.
  let graphRoot: String?

  init(_ kind: Kind, _ id: String, lock: String? = nil, graphRoot: String? = nil) {
    self.kind = kind
    self.id = id
    self.lock = lock
    self.graphRoot = graphRoot
  }

  /// The tie in a record, if there is one that can be understood.
  init?(_ flags: RecordFlags) {
    guard let value = flags[LayerTie.key], let id = value["id"]?.string, let kind = value["kind"]?.string,
      let known = Kind(rawValue: kind)
    else { return nil }
    self.init(known, id, lock: value["lock"]?.string, graphRoot: value["graph-root"]?.string)
  }

  /// The flag's value.
  var flag: JSONValue {
    var members = [JSONValue.Member("id", .string(id)), JSONValue.Member("kind", .string(kind.rawValue))]
    if let lock { members.append(JSONValue.Member("lock", .string(lock))) }
    if let graphRoot { members.append(JSONValue.Member("graph-root", .string(graphRoot))) }
    return .object(members)
  }

  /// A tie to the mounts of layers of a graph root.
  init(mountsOf layers: [LayerID], in graphRoot: String?) {
    self.init(.mounts, layers.map(\.rawValue).joined(separator: ","), graphRoot: graphRoot)
  }

  /// Whether the process that made the tie is still at work, or what it is tied to is still mounted; mounts of another graph
  /// root that cannot be looked at are believed, and so is a maker whose lock cannot be.
  func isAlive(_ topology: StoreTopology, _ mounts: MountLedger) -> Bool {
    if kind == .mounts {
      let layers = id.split(separator: ",").compactMap { LayerID(recorded: String($0)) }
      if let graphRoot, let other = ForeignRoot(graphRoot, topology) { return other.hasMounted(layers) }
      return layers.contains { mounts[$0] != nil }
    }
    guard let lock, !lock.isEmpty, lock.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return false }
    return topology.layers.dataSearch.contains { directory in
      let path = directory.instanceLock(lock)
      do throws(StorageError) {
        let file = try StoreFile.open(path, .readWrite)
        return try attempt("lock", path) { () throws(Errno) in try !Syscall.setlk(file.rawValue, .write) }
      } catch {
        // A maker that cannot be asked about is believed to be at work: the layer stays.
        return error.errno != .noSuchFileOrDirectory
      }
    }
  }
}

extension LayerRecord {
  /// What the layer's fate hangs on; a tie that cannot be understood is none.
  var tie: LayerTie? {
    get { flags.isEmpty ? nil : LayerTie(flags) }
    set { flags[LayerTie.key] = newValue?.flag }
  }
}

extension LayersReading {
  /// The layers that stay only for mounts of other graph roots, with the path of these.
  func mountedElsewhere() -> [(record: LayerRecord, graphRoot: String)] {
    tiedLayers().compactMap { record in
      guard let tie = record.tie, tie.kind == .mounts, let id = tie.graphRoot,
        let root = ForeignRoot(id, store.topology)
      else { return nil }
      return (record, root.path)
    }
  }

  /// The layers whose ties are alive: others have a reason to keep them.
  func tiedLayers() -> [LayerRecord] {
    let mounts = mounts
    return ask { $0.records }.filter { $0.tie?.isAlive(store.topology, mounts) == true }
  }
}

extension LayersWriting {
  /// Ties layers of the primary store to an object, in one save per file.
  func tie(_ ids: [LayerID], _ tie: LayerTie) throws(StorageError) {
    if ids.isEmpty { return }
    change { table in
      for id in ids { table.update(id) { $0.flags[LayerTie.key] = tie.flag } }
    }
    try save()
  }

  /// Deletes a tree of the driver that has no record.
  func removeUnrecorded(
    _ id: LayerID, _ home: (role: LayerLocation.Role, root: FilePath)
  ) throws(StorageError) {
    try bins.fill { (bins) throws(StorageError) in
      try driver.remove(LayerLocation(id: id, role: home.role, root: home.root), into: &bins)
    }
  }
}
