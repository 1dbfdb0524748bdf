// SPDX-License-Identifier: Apache-2.0

internal import StowageConfig
internal import StowageDriverAPI
internal import StowageFiles
public import StowageModel
internal import StowageRecords
internal import SystemPackage

extension Store {
  /// Key-value pairs about the driver, in its order.
  public func status() throws(StorageError) -> [(String, String)] {
    try drivers.current().selfDescribing?.status() ?? []
  }

  /// The version that this library stands for.
  public func version() -> [(String, String)] { [("Version", stowageFormatVersion)] }

  /// All records under one set of locks; kinds that are not wanted are empty and not locked.
  public func snapshot(
    layers: Bool = true, images: Bool = true, containers: Bool = true
  ) throws(StorageError) -> StoreSnapshot {
    var parts: StoreParts = []
    if layers { parts.formUnion(.layers) }
    if images { parts.formUnion(.images) }
    if containers { parts.formUnion(.containers) }
    return try read(parts) { (access) throws(StorageError) -> StoreSnapshot in
      StoreSnapshot(
        layers: layers ? access.listLayers() : [], images: images ? access.listImages() : [],
        containers: containers ? access.listContainers() : [])
    }
  }

  /// Ends the use of the store on this machine: tells all other processes, and cleans up the driver (store-semantics
  /// 5.4).
  ///
  /// - Parameter force: unmounts mounted layers first. As in the reference that is still reported as an error.
  /// - Returns: the layers that were mounted: none.
  /// - Throws: `layerUsedByContainer` if a layer was mounted.
  @discardableResult
  public func shutdown(force: Bool) throws(StorageError) -> [LayerID] {
    if isReadOnly { return try shutdownReadOnly(force: force) }
    return try free([.driver, .layers]) { (access) throws(StorageError) -> [LayerID] in
      let layers = access.layers
      let mounted = layers.reading.mounts.layers.filter { layers.reading.find($0) != nil }.sorted()
      if force {
        for id in mounted {
          if let layer = layers.reading.find(id) { try layers.unmountFully(layer) }
        }
      }
      if mounted.isEmpty || force {
        try access.driver.announceShutdown()
        try layers.driver.homeClosing?.cleanUp()
      }
      if mounted.isEmpty { return [] }
      throw StorageError(.layerUsedByContainer, subject: mounted.first?.rawValue).wrapped("a layer is mounted")
    }
  }
  /// There is nobody to be told, and nothing to clean up.
  private func shutdownReadOnly(force: Bool) throws(StorageError) -> [LayerID] {
    try read([.layers]) { (access) throws(StorageError) -> [LayerID] in
      let layers = access.layers
      let mounted = layers.mounts.layers.filter { layers.find($0) != nil }.sorted()
      if mounted.isEmpty { return [] }
      if force {
        for id in mounted { if let layer = layers.find(id) { try layers.unmount(layer, force: true) } }
      }
      throw StorageError(.layerUsedByContainer, subject: mounted.first?.rawValue).wrapped("a layer is mounted")
    }
  }
}
