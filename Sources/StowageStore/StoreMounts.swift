// SPDX-License-Identifier: Apache-2.0

internal import StowageConfig
internal import StowageDriverAPI
internal import StowageFiles
public import StowageModel
internal import SystemPackage

extension Store {
  /// Presents the tree of a container or layer and counts that (store-semantics 16.1).
  ///
  /// A container is mounted with its own ID maps and options.
  /// - Parameter label: the SELinux label; empty for that of the layer.
  /// - Returns: the absolute path of the tree.
  /// - Throws: `layerUnknown`; `readOnlyStore` for a layer of an additional image store; `mountFailed`, `system`.
  public func mount(_ nameOrID: String, label: String = "") throws(StorageError) -> String {
    try drivers.withLock { (driver, _) throws(StorageError) -> String in
      try self.withLayersWriting(additional: true, driver: driver) {
        (layers: inout LayersWriting) throws(StorageError) -> String in
        let (layer, options) = try self.mountRequest(nameOrID, label, layers.reading)
        return try layers.mount(layer, options)
      }
    }
  }

  /// What ``mount(_:label:)`` would do now; changes nothing.
  ///
  /// - Returns: the path at which the tree would be, and the steps in words.
  /// - Throws: as ``mount(_:label:)``.
  public func planMount(_ nameOrID: String, label: String = "") throws(StorageError) -> (path: String, steps: [String])
  {
    try withLayers { (layers) throws(StorageError) in
      let (layer, options) = try self.mountRequest(nameOrID, label, layers)
      return try layers.plan(layer, options)
    }
  }

  private func mountRequest(
    _ nameOrID: String, _ label: String, _ layers: borrowing LayersReading
  ) throws(StorageError) -> (layer: FoundLayer, options: MountOptions) {
    let container = try containerStore.withReading { (containers) throws(StorageError) in
      containers.container(nameOrID)
    }
    guard let layer = layers.find(container?.layer.rawValue ?? nameOrID) else {
      throw StorageError(.layerUnknown, subject: nameOrID)
    }
    if !layer.location.isWritable {
      throw StorageError(.readOnlyStore, subject: nameOrID)
        .wrapped("mounting read/only store images is not allowed")
    }
    var options = try mountOptions(of: container, layer, layers.driver)
    if !label.isEmpty { options.label = label }
    return (layer, options)
  }

  func mountOptions(
    of container: ContainerRecord?, _ layer: FoundLayer, _ driver: any GraphDriver
  ) throws(StorageError) -> MountOptions {
    var options = MountOptions(label: layer.record.mountLabel)
    guard let container else { return options }
    options.options = container.flags["MountOpts"]?.array?.compactMap(\.string) ?? []
    options.isVolatile = container.flags["Volatile"]?.bool == true && !self.options.disableVolatile
    if container.idMaps.isEmpty { return options }
    // A layer that has owners of its own on disk is shown as it is (configuration-and-idmaps 21.31).
    let canShift = layer.record.idMaps.isEmpty && driver.ownerShifting?.supportsShifting(container.idMaps) == true
    options.disableShifting = !canShift
    if options.disableShifting, container.idMaps != layer.record.idMaps {
      throw StorageError(
        .notSupported, "cannot mount layer \(layer.id): shifting not enabled", subject: layer.id.rawValue)
    }
    options.idMaps = container.idMaps
    return options
  }

  /// Presents the tree of an image's top layer read-only and counts that (store-semantics 16.3).
  ///
  /// An image of an additional image store is mounted too, at a private place in the run root. If all layers of an image have
  /// ID maps, a copy without is made first.
  ///
  /// - Throws: `imageUnknown`; `layerUnknown`; `invalidOption` for `rw`.
  public func mountImage(
    _ nameOrID: String, options: [String] = [], label: String = ""
  ) throws(StorageError) -> String {
    var attempts = 0
    while true {
      switch try mountedImage(nameOrID, options, label) {
      case .mounted(let path): return path
      case .needsCopy(let copy):
        attempts += 1
        do throws(StorageError) { try make(copy) } catch {
          guard error.code == .busy, attempts < Store.mostCopies else { throw error }
        }
      }
    }
  }

  /// What became of an attempt to mount an image.
  private enum MountedImage {
    case mounted(String)
    /// All layers of the image have ID maps.
    case needsCopy(MappedCopy)
  }

  private func mountedImage(
    _ nameOrID: String, _ options: [String], _ label: String
  ) throws(StorageError) -> MountedImage {
    try drivers.withLock { (driver, _) throws(StorageError) -> MountedImage in
      try self.withLayersWriting(additional: true, driver: driver) {
        (layers: inout LayersWriting) throws(StorageError) -> MountedImage in
        switch try self.imageMountRequest(nameOrID, options, label, layers.reading) {
        case .needsCopy(let copy): return .needsCopy(copy)
        case .ready(let layer, let mount): return .mounted(try layers.mount(layer, mount))
        }
      }
    }
  }

  /// What ``mountImage(_:options:label:)`` would do now. See ``planMount(_:label:)``.
  ///
  /// - Throws: as ``mountImage(_:options:label:)``; `notSupported` if a layer with other owners would be made first, whose
  ///   place is not known yet.
  public func planImageMount(
    _ nameOrID: String, options: [String] = [], label: String = ""
  ) throws(StorageError) -> (path: String, steps: [String]) {
    try withLayers { (layers) throws(StorageError) in
      switch try self.imageMountRequest(nameOrID, options, label, layers) {
      case .ready(let layer, let mount): return try layers.plan(layer, mount)
      case .needsCopy(let copy):
        let template = goQuoted(copy.new.basis?.id.rawValue ?? "")
        throw StorageError(
          .notSupported, "a copy of layer \(template) without ID maps would be made first", subject: nameOrID)
      }
    }
  }

  private enum ImageMount {
    case ready(FoundLayer, MountOptions)
    case needsCopy(MappedCopy)
  }

  private func imageMountRequest(
    _ nameOrID: String, _ options: [String], _ label: String, _ layers: borrowing LayersReading
  ) throws(StorageError) -> ImageMount {
    if options.contains("rw") { throw StorageError(.invalidOption, " \"rw\" option not supported") }
    let image = try withImages { (view) throws(StorageError) in try view.require(nameOrID) }
    let layer: FoundLayer
    switch try topLayer(of: image, .host, layers) {
    case .needsCopy(let copy): return .needsCopy(copy)
    case .ready(nil): throw StorageError(.layerUnknown, subject: nameOrID)
    case .ready(let found?): layer = found
    }
    if !layer.record.idMaps.isEmpty {
      throw StorageError(
        .notSupported, "cannot create an image with canonical UID/GID mappings in a read-only store",
        subject: nameOrID)
    }
    var mount = MountOptions(label: layer.record.mountLabel, options: options + ["ro"])
    if !label.isEmpty { mount.label = label }
    return .ready(layer, mount)
  }

  /// The first of an image's top layers that has no ID maps, else the top layer. Layers of the store that has the image
  /// are preferred to others with the same identifier.
  private func unmappedLayer(of image: ImagesView.Found, _ layers: borrowing LayersReading) -> FoundLayer? {
    let home = topology.role(ofImageStore: image.store)
    for id in [image.record.layer].compactMap({ $0 }) + image.record.mappedLayers {
      if let layer = layers.find(id, near: home), layer.record.idMaps.isEmpty { return layer }
    }
    return image.record.layer.flatMap { layers.find($0, near: home) }
  }

  /// Takes one from the mount count of a container or layer, all with `force`, and unmounts at zero. A mount point is
  /// accepted for a name.
  ///
  /// - Returns: whether it is still mounted.
  /// - Throws: `layerUnknown`. Not being mounted is no error.
  @discardableResult
  public func unmount(_ nameOrID: String, force: Bool = false) throws(StorageError) -> Bool {
    let container = try containerStore.withReading { (containers) throws(StorageError) in
      containers.container(nameOrID)
    }
    return try withLayersWriting(additional: true) { (layers: inout LayersWriting) throws(StorageError) -> Bool in
      let name = container?.layer.rawValue ?? nameOrID
      let atPath = layers.store.mounts(layers.reading).layer(at: nameOrID)
      guard let layer = layers.reading.findPrimary(name) ?? atPath.flatMap({ layers.reading.find($0) }) else {
        throw StorageError(.layerUnknown, subject: nameOrID)
      }
      return try layers.unmount(layer, force: force)
    }
  }

  /// Takes one from the mount count of an image's top layer. See ``unmount(_:force:)``.
  ///
  /// - Throws: `imageUnknown`, `layerUnknown`.
  @discardableResult
  public func unmountImage(_ nameOrID: String, force: Bool = false) throws(StorageError) -> Bool {
    let image = try withImages { (view) throws(StorageError) in try view.require(nameOrID) }
    return try withLayersWriting(additional: true) { (layers: inout LayersWriting) throws(StorageError) -> Bool in
      guard let layer = self.unmappedLayer(of: image, layers.reading) else {
        throw StorageError(.layerUnknown, subject: nameOrID)
      }
      return try layers.unmount(layer, force: force)
    }
  }

  /// How often a container or layer of the primary store is mounted, as of now.
  ///
  /// - Throws: `layerUnknown`.
  public func mountCount(of nameOrID: String) throws(StorageError) -> Int {
    let container = try containerStore.withReading { (containers) throws(StorageError) in
      containers.container(nameOrID)
    }
    return try withLayers { (layers) throws(StorageError) -> Int in
      guard let layer = layers.findPrimary(container?.layer.rawValue ?? nameOrID) else {
        throw StorageError(.layerUnknown, subject: nameOrID)
      }
      return layers.info(layer).mountCount
    }
  }

  /// Runs `body` while a container or layer is mounted, and unmounts it at the end.
  ///
  /// - Throws: what mounting, `body` and unmounting throw; the first of them.
  public func withMounted<R>(_ nameOrID: String, _ body: (_ path: String) throws -> R) throws -> R {
    let path = try mount(nameOrID)
    let result: R
    do {
      result = try body(path)
    } catch {
      do throws(StorageError) {
        try unmount(nameOrID)
      } catch let second {
        Log.warning("cannot unmount \(nameOrID) after a failure: \(second)")
      }
      throw error
    }
    try unmount(nameOrID)
    return result
  }

  // MARK: The whole store

  /// Key-value pairs about the driver, in its order.
  public func status() throws(StorageError) -> [(String, String)] {
    try drivers.current().selfDescribing?.status() ?? []
  }

  /// The version that this library stands for.
  public func version() -> [(String, String)] { [("Version", stowageVersion)] }

  /// All records under one set of locks; kinds that are not wanted are empty and not locked.
  public func snapshot(
    layers: Bool = true, images: Bool = true, containers: Bool = true
  ) throws(StorageError) -> StoreSnapshot {
    let rest = { () throws(StorageError) -> ([ImageInfo], [ContainerRecord]) in
      let records = { () throws(StorageError) -> [ContainerRecord] in
        if !containers { return [] }
        return try self.containers.list()
      }
      if !images { return ([], try records()) }
      return try self.withImages { (view) throws(StorageError) in (view.infos, try records()) }
    }
    if !layers {
      let (images, containers) = try rest()
      return StoreSnapshot(layers: [], images: images, containers: containers)
    }
    return try withLayers { (access) throws(StorageError) in
      let (images, containers) = try rest()
      return StoreSnapshot(layers: access.list(), images: images, containers: containers)
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
    try drivers.withLock { (driver, announce) throws(StorageError) -> [LayerID] in
      let mounted = try self.withLayersWriting(additional: true, driver: driver) {
        (layers: inout LayersWriting) throws(StorageError) -> [LayerID] in
        let mounted = layers.store.mounts(layers.reading).layers.filter { layers.reading.find($0) != nil }.sorted()
        if force {
          for id in mounted {
            if let layer = layers.reading.find(id) { try layers.unmountFully(layer) }
          }
        }
        return mounted
      }
      if mounted.isEmpty || force {
        try announce()
        try driver.homeClosing?.cleanUp()
      }
      if mounted.isEmpty { return [] }
      throw StorageError(.layerUsedByContainer, subject: mounted.first?.rawValue).wrapped("a layer is mounted")
    }
  }
}
