// SPDX-License-Identifier: Apache-2.0

internal import StowageDiff
internal import StowageDigest
internal import StowageFiles
public import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// What can be done with the containers of a store. Names stand for identifiers, identifiers of the container's layer,
/// and
/// unique identifier prefixes too.
public struct ContainerOperations: Sendable {
  let store: Store
  /// The store these operations belong to.
  public var owner: Store { store }

  // MARK: Looking

  /// All containers, stable ones first.
  public func list() throws(StorageError) -> [ContainerRecord] {
    try store.read([.containers]) { (access) throws(StorageError) in access.containers.records }
  }

  /// One container.
  ///
  /// - Throws: `containerUnknown`.
  public func find(_ nameOrID: String) throws(StorageError) -> ContainerRecord {
    try store.read([.containers]) { (access) throws(StorageError) in
      let containers = access.containers
      guard let container = containers.container(nameOrID) else {
        throw StorageError(.containerUnknown, subject: nameOrID)
      }
      return container
    }
  }

  /// The container whose own layer this is.
  ///
  /// - Throws: `layerUnknown`, `containerUnknown`.
  public func byLayer(_ nameOrID: String) throws(StorageError) -> ContainerRecord {
    let id = try store.layers.find(nameOrID).id
    guard let container = try list().first(where: { $0.layer == id }) else {
      throw StorageError(.containerUnknown, subject: nameOrID)
    }
    return container
  }

  /// The size in bytes of what a container has changed, of its big data and of the files in its directories. Makes nothing.
  ///
  /// - Throws: `containerUnknown`, `layerUnknown`.
  public func size(of nameOrID: String) throws(StorageError) -> Int64 {
    let container = try find(nameOrID)
    var size = try store.read([.layers]) { (access) throws(StorageError) -> Int64 in
      let layers = access.layers
      guard let layer = layers.find(container.layer) else {
        throw StorageError(.layerUnknown, subject: container.layer.rawValue)
          .wrapped("locating layer with ID \(goQuoted(container.layer.rawValue))")
      }
      return try LayerComparison(of: layer, layers, store).size(layers)
    }
    for key in container.bigDataNames { size &+= try bigDataSize(key, of: container.id.rawValue) }
    let places = store.topology.containers
    for directory in [places.directory, places.runDirectory] {
      let path = BigDataFiles.callersDirectory(of: container.id.rawValue, in: directory)
      // It is there if somebody asked for it.
      if try HostFiles.exists(path) { size &+= try diskUsage(of: path).size }
    }
    return size
  }

  // MARK: Changing

  /// Makes a container with a layer of its own over the image's top layer (store-semantics 11.1).
  ///
  /// - Throws: `imageUnknown`, `layerUnknown`, `duplicateID`, `duplicateName`, `invalidMappings`; `notSupported` if
  /// the wanted
  ///   ID maps need owners to be changed.
  public func create(_ request: ContainerCreation) throws(StorageError) -> ContainerRecord {
    try ContainerMaking(store: store, request).run()
  }

  /// Deletes a container with its layer and directories.
  ///
  /// - Parameter force: also if it is mounted: it is unmounted first.
  /// - Throws: `notAContainer`; `busy` if it is mounted; `layerHasChildren`, `layerUsedByImage` if something was made of its layer.
  public func delete(_ nameOrID: String, force: Bool = false) throws(StorageError) {
    try ContainerDeletion(store: store, container: nameOrID, unmounts: force).run()
  }

  // MARK: Big data

  /// Keys of a container's big data items, in order of first write.
  ///
  /// - Throws: `containerUnknown`.
  public func bigDataNames(of nameOrID: String) throws(StorageError) -> [String] { try find(nameOrID).bigDataNames }

  /// A big data item.
  ///
  /// - Throws: `containerUnknown`; `system` if there is no such item.
  public func bigData(_ key: String, of nameOrID: String) throws(StorageError) -> [UInt8] {
    if key.isEmpty {
      throw StorageError(.invalidBigDataName)
        .wrapped("can't retrieve container big data value for empty name")
    }
    return try store.read([.containers]) { (access) throws(StorageError) -> [UInt8] in
      let containers = access.containers
      guard let container = containers.container(nameOrID) else {
        throw StorageError(.containerUnknown, subject: nameOrID)
      }
      let path = try BigDataFiles.path(
        key, of: container.id.rawValue, in: containers.store.directory, kind: "container")
      return try StoreFile.read(path)
    }
  }

  /// The size in bytes of a big data item.
  ///
  /// - Throws: `containerUnknown`, `invalidBigDataName`, `sizeUnknown`.
  public func bigDataSize(_ key: String, of nameOrID: String) throws(StorageError) -> Int64 {
    let container = try find(nameOrID)
    if key.isEmpty {
      throw StorageError(.invalidBigDataName)
        .wrapped("can't retrieve size of container big data with empty name")
    }
    if let size = container.bigDataSizes[key] { return size }
    guard let bytes = try? bigData(key, of: nameOrID) else { throw StorageError(.sizeUnknown, subject: key) }
    return Int64(bytes.count)
  }

  /// The digest of a big data item.
  ///
  /// - Throws: `containerUnknown`, `invalidBigDataName`, `digestUnknown`.
  public func bigDataDigest(_ key: String, of nameOrID: String) throws(StorageError) -> Digest {
    let container = try find(nameOrID)
    if key.isEmpty {
      throw StorageError(.invalidBigDataName)
        .wrapped("can't retrieve digest of container big data value with empty name")
    }
    if let digest = container.bigDataDigests[key], digest.isValid { return digest }
    guard let bytes = try? bigData(key, of: nameOrID) else { throw StorageError(.digestUnknown, subject: key) }
    return sha256(of: bytes)
  }

  /// Writes a big data item.
  ///
  /// - Throws: `containerUnknown`, `invalidBigDataName`.
  public func setBigData(_ key: String, bytes: [UInt8], of nameOrID: String) throws(StorageError) {
    if key.isEmpty {
      throw StorageError(.invalidBigDataName).wrapped("can't set empty name for container big data item")
    }
    let digest = sha256(of: bytes)
    try store.write([.containers]) { (access) throws(StorageError) in
      let containers = access.containers
      guard let container = containers.reading.container(nameOrID) else {
        throw StorageError(.containerUnknown, subject: nameOrID)
      }
      var changed = container
      changed.enter(key, size: bytes.count, digest: digest)
      if changed == container {
        let directory = containers.store.directory
        try BigDataFiles.write(bytes, key, of: container.id.rawValue, in: directory, kind: "container")
      } else {
        let item = BigDataItem(key: key, bytes: bytes, digest: digest)
        try containers.update(container.id, items: [item], kind: "container") { _ in }
      }
    }
  }

  // MARK: Directories

  /// A directory for the caller's files about a container, made with mode 0700 if missing; it goes with the container. In a store
  /// that can only be read it is not made.
  ///
  /// - Throws: `containerUnknown`.
  public func directory(of nameOrID: String) throws(StorageError) -> String {
    try userData(of: nameOrID, in: store.topology.containers.directory, isMade: !store.isReadOnly)
  }

  /// A directory for the caller's files about a container that need not survive a reboot.
  ///
  /// - Throws: `containerUnknown`.
  public func runDirectory(of nameOrID: String) throws(StorageError) -> String {
    try userData(of: nameOrID, in: store.topology.containers.runDirectory)
  }

  private func userData(
    of nameOrID: String, in directory: FilePath, isMade: Bool = true
  ) throws(StorageError) -> String {
    let path = BigDataFiles.callersDirectory(of: try find(nameOrID).id.rawValue, in: directory)
    if isMade { try makeDirectories(path, mode: 0o700) }
    return path.string
  }
}
