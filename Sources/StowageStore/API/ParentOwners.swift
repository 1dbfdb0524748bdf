// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
public import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// Host owners of the directories above a mount point whose IDs do not exist in the layer's ID maps: who enters the tree in
/// a user namespace with those maps sees these directories as nobody's (store-semantics 20).
public struct ParentOwners: Hashable, Sendable {
  /// User IDs, ascending.
  public var uids: [Int]
  /// Group IDs, ascending.
  public var gids: [Int]

  /// Collects IDs.
  public init(uids: [Int] = [], gids: [Int] = []) {
    self.uids = uids
    self.gids = gids
  }
}

extension LayerOperations {
  /// The unmapped owners above a layer's mount point; empty for a layer without ID maps, mounted or not.
  ///
  /// - Throws: `layerUnknown`, also for layers of additional image stores; `layerNotMounted`; `invalidMappings` if the
  ///   layer's maps have no ID 0; `system`.
  public func parentOwners(of nameOrID: String) throws(StorageError) -> ParentOwners {
    try store.read([.layers]) { (access) throws(StorageError) -> ParentOwners in
      let layers = access.layers
      guard let layer = layers.findPrimary(nameOrID) else { throw StorageError(.layerUnknown, subject: nameOrID) }
      return try layers.parentOwners(of: layer)
    }
  }
}

extension ContainerOperations {
  /// The unmapped owners above the mount point of a container's layer.
  ///
  /// Empty for a layer without maps: versions until 1.63 record none where the driver shifts owners when mounting.
  ///
  /// - Throws: `containerUnknown`; as ``LayerOperations/parentOwners(of:)``.
  public func parentOwners(of nameOrID: String) throws(StorageError) -> ParentOwners {
    let container = try find(nameOrID)
    return try store.read([.layers]) { (access) throws(StorageError) -> ParentOwners in
      let layers = access.layers
      guard let layer = layers.primary(container.layer) else {
        throw StorageError(.layerUnknown, subject: container.layer.rawValue)
      }
      return try layers.parentOwners(of: layer)
    }
  }
}

extension LayersReading {
  fileprivate func parentOwners(of layer: FoundLayer) throws(StorageError) -> ParentOwners {
    let maps = layer.record.idMaps
    if maps.isEmpty { return ParentOwners() }
    guard let mount = mounts[layer.id], Syscall.exists(FilePath(mount.path)) else {
      throw StorageError(.layerNotMounted, subject: layer.id.rawValue)
    }
    do throws(IDMapError) { _ = try maps.rootHostIDs() } catch {
      throw StorageError(
        .invalidMappings, "reading root ID values for layer \(goQuoted(layer.id.rawValue)): \(error)",
        subject: layer.id.rawValue, cause: error)
    }
    var uids: Set<Int> = []
    var gids: Set<Int> = []
    var directory = FilePath(mount.path).removingLastComponent()
    while directory.lastComponent != nil {
      for status in try owners(of: directory) {
        if maps.containerUID(of: Int(status.uid)) == nil { uids.insert(Int(status.uid)) }
        if maps.containerGID(of: Int(status.gid)) == nil { gids.insert(Int(status.gid)) }
      }
      directory = directory.removingLastComponent()
    }
    return ParentOwners(uids: uids.sorted(), gids: gids.sorted())
  }
  /// Of the directory itself, and of what a symbolic link in its place leads to.
  private func owners(of directory: FilePath) throws(StorageError) -> [FileStatus] {
    do throws(StorageError) {
      return [
        try attempt("stat", directory) { () throws(Errno) in try Syscall.stat(directory) },
        try attempt("lstat", directory) { () throws(Errno) in try Syscall.lstat(directory) },
      ]
    } catch {
      throw error.wrapped("read directory ownership")
    }
  }
}
