// SPDX-License-Identifier: Apache-2.0

internal import StowageConfig
internal import StowageDriverAPI
internal import StowageModel
internal import StowageRecords

/// A layer to be presented, and how.
struct LayerMount: Sendable {
  /// The layer.
  let layer: FoundLayer
  /// How the driver is to present it.
  let options: MountOptions

  /// Finds the layer of a container, or a layer, under the layer lock.
  ///
  /// - Parameter label: the SELinux label; empty for that of the layer.
  /// - Throws: `layerUnknown`; `readOnlyStore` for a layer of an additional image store; `notSupported` for ID maps that cannot
  ///   be shown.
  init(
    of nameOrID: String, label: String, _ store: Store, _ layers: borrowing LayersReading
  ) throws(StorageError) {
    let container = try store.read([.containers]) { (access) throws(StorageError) in
      access.containers.container(nameOrID)
    }
    guard let layer = layers.find(container?.layer.rawValue ?? nameOrID) else {
      throw StorageError(.layerUnknown, subject: nameOrID)
    }
    if !layer.location.isWritable {
      throw StorageError(.readOnlyStore, subject: nameOrID)
        .wrapped("mounting read/only store images is not allowed")
    }
    var options = try MountOptions(of: container, layer, store.options, layers.driver)
    if !label.isEmpty { options.label = label }
    self.layer = layer
    self.options = options
  }
}

extension MountOptions {
  /// How a layer is presented for its container, or for itself.
  ///
  /// - Throws: `notSupported` for ID maps that cannot be shown.
  init(
    of container: ContainerRecord?, _ layer: FoundLayer, _ store: StoreOptions, _ driver: any GraphDriver
  ) throws(StorageError) {
    self.init(label: layer.record.mountLabel)
    if let container {
      options = container.flags["MountOpts"]?.array?.compactMap(\.string) ?? []
      isVolatile = container.flags["Volatile"]?.bool == true && !store.disableVolatile
    }
    // The layer of a container that is gone has the maps of its own record.
    let maps = container?.idMaps ?? layer.record.idMaps
    if maps.isEmpty { return }
    // A mount program shows all with the same maps; a layer that has owners of its own on disk is not for it.
    let driver = layer.record.idMaps.isEmpty || driver.ownerShifting?.storesHostIDs == true ? driver.ownerShifting : nil
    disableShifting = driver?.supportsShifting(maps) != true
    if maps != layer.record.idMaps, disableShifting || !layer.record.idMaps.isEmpty {
      throw StorageError(
        .notSupported, "cannot mount layer \(layer.id): shifting not enabled", subject: layer.id.rawValue)
    }
    idMaps = maps
  }
}

extension LayersReading {
  /// Those among a layer and its ancestors that have the owners of ID maps on disk.
  func mappedLayers(_ layer: FoundLayer, _ ancestors: [FoundLayer]) -> Set<LayerID> {
    Set(([layer] + ancestors).filter { !$0.record.idMaps.isEmpty }.map(\.id))
  }
}
