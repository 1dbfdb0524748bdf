// SPDX-License-Identifier: Apache-2.0

internal import StowageConfig
internal import StowageDriverAPI
internal import StowageFiles
public import StowageModel
internal import StowageRecords
internal import SystemPackage

extension Store {
  /// Presents the tree of a container or layer and counts that (store-semantics 16.1).
  ///
  /// A container is mounted with its own ID maps and options.
  /// - Parameter label: the SELinux label; empty for that of the layer.
  /// - Returns: the absolute path of the tree.
  /// - Throws: `layerUnknown`; `readOnlyStore` for a layer of an additional image store; `mountFailed`, `system`.
  public func mount(_ nameOrID: String, label: String = "") throws(StorageError) -> String {
    try write([.driver, .layers]) { (access) throws(StorageError) -> String in
      let layers = access.layers
      let request = try LayerMount(of: nameOrID, label: label, self, layers.reading)
      return try layers.mount(request.layer, request.options)
    }
  }

  /// What ``mount(_:label:)`` would do now; changes nothing.
  ///
  /// - Returns: the path at which the tree would be, and the steps in words.
  /// - Throws: as ``mount(_:label:)``.
  public func planMount(
    _ nameOrID: String, label: String = ""
  ) throws(StorageError) -> (path: String, steps: [String]) {
    try read([.layers]) { (access) throws(StorageError) in
      let layers = access.layers
      let request = try LayerMount(of: nameOrID, label: label, self, layers)
      return try layers.plan(request.layer, request.options)
    }
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
    try ImageMount(store: self, image: nameOrID, options: options, label: label).run()
  }

  /// What ``mountImage(_:options:label:)`` would do now. See ``planMount(_:label:)``.
  ///
  /// - Throws: as ``mountImage(_:options:label:)``; `notSupported` if a layer with other owners would be made first, whose
  ///   place is not known yet.
  public func planImageMount(
    _ nameOrID: String, options: [String] = [], label: String = ""
  ) throws(StorageError) -> (path: String, steps: [String]) {
    try read([.layers]) { (access) throws(StorageError) in
      let layers = access.layers
      switch try ImageMount(store: self, image: nameOrID, options: options, label: label).resolve(layers) {
      case .ready(let layer, let mount): return try layers.plan(layer, mount)
      case .needsCopy(let copy):
        let template = goQuoted(copy.new.basis?.id.rawValue ?? "")
        throw StorageError(
          .notSupported, "a copy of layer \(template) without ID maps would be made first", subject: nameOrID)
      }
    }
  }

  /// Takes one from the mount count of a container or layer, all with `force`, and unmounts at zero. A mount point is
  /// accepted for a name.
  ///
  /// - Returns: whether it is still mounted.
  /// - Throws: `layerUnknown`. Not being mounted is no error.
  @discardableResult
  public func unmount(_ nameOrID: String, force: Bool = false) throws(StorageError) -> Bool {
    let container = try read([.containers]) { (access) throws(StorageError) in
      access.containers.container(nameOrID)
    }
    func find(_ layers: borrowing LayersReading) throws(StorageError) -> FoundLayer {
      let atPath = layers.mounts.layer(at: nameOrID)
      if let layer = layers.findPrimary(container?.layer.rawValue ?? nameOrID) ?? atPath.flatMap({ layers.find($0) }) {
        return layer
      }
      throw StorageError(.layerUnknown, subject: nameOrID)
    }
    return try unmount(force: force, find)
  }

  /// Takes one from the mount count of an image's top layer. See ``unmount(_:force:)``.
  ///
  /// - Throws: `imageUnknown`, `layerUnknown`.
  @discardableResult
  public func unmountImage(_ nameOrID: String, force: Bool = false) throws(StorageError) -> Bool {
    let image = try read([.images]) { (access) throws(StorageError) in try access.images.require(nameOrID) }
    return try unmount(force: force) { (layers) throws(StorageError) in
      guard let layer = image.unmappedLayer(topology, layers) else {
        throw StorageError(.layerUnknown, subject: nameOrID)
      }
      return layer
    }
  }

  /// Unmounts the layer that `find` finds.
  private func unmount(
    force: Bool, _ find: (borrowing LayersReading) throws(StorageError) -> FoundLayer
  ) throws(StorageError) -> Bool {
    if isReadOnly {
      return try read([.layers]) { (access) throws(StorageError) -> Bool in
        let layers = access.layers
        return try layers.unmount(try find(layers), force: force)
      }
    }
    return try free([.layers]) { (access) throws(StorageError) -> Bool in
      let layers = access.layers
      return try layers.unmount(try find(layers.reading), force: force)
    }
  }

  /// How often a container or layer of the primary store is mounted, as of now.
  ///
  /// - Throws: `layerUnknown`.
  public func mountCount(of nameOrID: String) throws(StorageError) -> Int {
    let container = try read([.containers]) { (access) throws(StorageError) in
      access.containers.container(nameOrID)
    }
    return try read([.layers]) { (access) throws(StorageError) -> Int in
      let layers = access.layers
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
}
