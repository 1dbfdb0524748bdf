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
    guard let container else { return }
    options = container.flags["MountOpts"]?.array?.compactMap(\.string) ?? []
    isVolatile = container.flags["Volatile"]?.bool == true && !store.disableVolatile
    if container.idMaps.isEmpty { return }
    // A layer that has owners of its own on disk is shown as it is (configuration-and-idmaps 21.31).
    let canShift = layer.record.idMaps.isEmpty && driver.ownerShifting?.supportsShifting(container.idMaps) == true
    disableShifting = !canShift
    if disableShifting, container.idMaps != layer.record.idMaps {
      throw StorageError(
        .notSupported, "cannot mount layer \(layer.id): shifting not enabled", subject: layer.id.rawValue)
    }
    idMaps = container.idMaps
  }
}
