// SPDX-License-Identifier: Apache-2.0

internal import StowageConfig
internal import StowageDriverAPI
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// Chooses the maps of an automatic user namespace (store-semantics 12).
struct AutomaticMaps {
  let store: Store
  let request: AutomaticUserNamespace

  /// Chooses. The lock of ID ranges must be held from before this until the container that gets them is recorded.
  ///
  /// - Parameter image: name or identifier, or empty. After success the full identifier, so that the container gets the
  ///   image that was looked at.
  /// - Throws: `imageUnknown`, `layerUnknown`; `invalidMappings` if the image needs more IDs than the settings allow, or
  ///   additional ranges are none; `noAvailableIDs`; `system`, `mountFailed` if the image's files cannot be presented.
  func run(image: inout String) throws(StorageError) -> IDMaps {
    for range in request.additionalUIDs + request.additionalGIDs
    where range.containerID < 0 || range.hostID < 0 || range.size < 1 {
      throw StorageError(
        .invalidMappings, "invalid additional ID mapping \(range.containerID):\(range.hostID):\(range.size)")
    }
    let wanted = try size(image: &image)
    let user = store.options.rootAutoUserNSUser.isEmpty ? "containers" : store.options.rootAutoUserNSUser
    let available = SubordinateSets(user: user)
    let used = try store.containers.list().map(\.idMaps)
    func map(_ available: IDSet, _ used: [IDMapping], _ additional: [IDMapping]) throws(StorageError) -> [IDMapping] {
      let inside = IDSet([0..<wanted]).subtracting(.container(additional))
      let free = available.subtracting(.host(used + additional))
      guard let chosen = inside.mapped(to: free) else { throw StorageError(.noAvailableIDs) }
      return chosen + additional
    }
    return IDMaps(
      uids: try map(available.uids, used.flatMap(\.uids), request.additionalUIDs),
      gids: try map(available.gids, used.flatMap(\.gids), request.additionalGIDs))
  }

  /// The number of IDs for a namespace (store-semantics 12.3).
  private func size(image: inout String) throws(StorageError) -> Int {
    var size = 0
    if !image.isEmpty {
      let (id, needed) = try sizeNeeded(by: image)
      image = id.rawValue
      size = needed
    }
    if request.size > IDSet.end { throw StorageError(.noAvailableIDs) }
    if request.size > 0 { return request.size }
    let least = store.options.autoUserNSMinSize == 0 ? 1024 : Int(store.options.autoUserNSMinSize)
    let most = store.options.autoUserNSMaxSize == 0 ? 65536 : Int(store.options.autoUserNSMaxSize)
    size = max(size, least, request.initialSize)
    if size > most {
      throw StorageError(
        .invalidMappings,
        "the container needs a user namespace with size \(size) that is bigger than the maximum value allowed with "
          + "userns=auto \(most)")
    }
    return size
  }

  /// The number of IDs for all owners that are recorded with an image's layers and all accounts in its files; not looked for
  /// if an exact size is wanted.
  private func sizeNeeded(by image: String) throws(StorageError) -> (ImageID, Int) {
    try store.read([.layers, .images]) { (access) throws(StorageError) -> (ImageID, Int) in
      let layers = access.layers
      let found = try access.images.require(image)
      if request.size > 0 { return (found.record.id, 0) }
      let home = store.topology.role(ofImageStore: found.store)
      guard let top = found.record.layer.flatMap({ layers.find($0, near: home) }) else {
        throw missing(found.record.layer?.rawValue)
      }
      let ancestors: [FoundLayer]
      do throws(StorageError) { ancestors = try layers.ancestors(of: top) } catch {
        throw error.code == .layerUnknown ? missing(error.subject) : error
      }
      let owners = ([top] + ancestors).flatMap { $0.record.uidSet + $0.record.gidSet }
      let accounts = try accountsSize(top, ancestors.map(\.location), layers)
      return (found.record.id, max((owners.max().map { Int($0) + 1 }) ?? 0, accounts))
    }
  }

  private func missing(_ layer: String?) -> StorageError {
    StorageError(.layerUnknown, "cannot find layer \(goQuoted(layer ?? ""))", subject: layer)
  }

  /// Where the reference makes a layer to mount it, a read-only mount of our own does.
  private func accountsSize(
    _ top: FoundLayer, _ chain: [LayerLocation], _ layers: borrowing LayersReading
  ) throws(StorageError) -> Int {
    var passwd = request.passwdFile.isEmpty ? nil : AccountFiles.read(FilePath(request.passwdFile))
    var group = request.groupFile.isEmpty ? nil : AccountFiles.read(FilePath(request.groupFile))
    if passwd == nil || group == nil {
      let mount = try PrivateMount(top.location, chain, layers.driver, store.topology)
      defer { mount.end() }
      passwd = passwd ?? AccountFiles.read("etc/passwd", in: mount.path)
      group = group ?? AccountFiles.read("etc/group", in: mount.path)
    }
    return AccountFiles.size(passwd: passwd ?? [], group: group ?? [])
  }
}
