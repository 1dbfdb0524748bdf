// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageModel
internal import StowageRecords

/// Presents the tree of an image's top layer read-only and counts that (store-semantics 16.3).
struct ImageMount {
  private let store: Store
  private let nameOrID: String
  private let options: [String]
  private let label: String

  init(store: Store, image nameOrID: String, options: [String], label: String) {
    self.store = store
    self.nameOrID = nameOrID
    self.options = options
    self.label = label
  }

  /// What is to be presented.
  enum Resolution {
    case ready(FoundLayer, MountOptions)
    /// All layers of the image have ID maps: a copy without must be made first.
    case needsCopy(MappedCopy)
  }

  /// What became of an attempt.
  private enum Outcome {
    case mounted(String)
    case needsCopy(MappedCopy)
  }

  /// Mounts the image.
  ///
  /// - Returns: the absolute path of the tree.
  /// - Throws: as ``Store/mountImage(_:options:label:)``.
  func run() throws(StorageError) -> String {
    var attempts = 0
    while true {
      switch try attempt() {
      case .mounted(let path): return path
      case .needsCopy(let copy):
        attempts += 1
        do throws(StorageError) { try copy.make(in: store) } catch {
          guard error.code == .busy, attempts < ContentStaging.mostCopies else { throw error }
        }
      }
    }
  }

  private func attempt() throws(StorageError) -> Outcome {
    if let refusal = store.topology.roots.refusal {
      return try store.read([.layers]) { (access) throws(StorageError) -> Outcome in
        let layers = access.layers
        guard case .ready(let layer, let mount) = try resolve(layers) else { throw refusal }
        return .mounted(try layers.mount(layer, mount))
      }
    }
    return try store.write([.driver, .layers]) { (access) throws(StorageError) -> Outcome in
      let layers = access.layers
      switch try resolve(layers.reading) {
      case .needsCopy(let copy): return .needsCopy(copy)
      case .ready(let layer, let mount): return .mounted(try layers.mount(layer, mount))
      }
    }
  }

  /// Finds what is to be presented, as of now.
  ///
  /// - Throws: `imageUnknown`, `layerUnknown`, `invalidOption` for `rw`; `notSupported`.
  func resolve(_ layers: borrowing LayersReading) throws(StorageError) -> Resolution {
    if options.contains("rw") { throw StorageError(.invalidOption, " \"rw\" option not supported") }
    let image = try store.read([.images]) { (access) throws(StorageError) in try access.images.require(nameOrID) }
    let layer: FoundLayer
    switch try TopLayerChoice(store: store, image: image, maps: .host).run(layers) {
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
}

extension ImagesView.Found {
  /// The first of an image's top layers that has no ID maps, else the top layer. Layers of the store that has the image
  /// are preferred to others with the same identifier.
  func unmappedLayer(_ topology: StoreTopology, _ layers: borrowing LayersReading) -> FoundLayer? {
    let home = topology.role(ofImageStore: store)
    for id in [record.layer].compactMap({ $0 }) + record.mappedLayers {
      if let layer = layers.find(id, near: home), layer.record.idMaps.isEmpty { return layer }
    }
    return record.layer.flatMap { layers.find($0, near: home) }
  }
}
