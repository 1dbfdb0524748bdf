// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
public import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// A change of a list of names.
enum NameChange: Sendable {
  case set([String])
  case add([String])
  case remove([String])

  /// The list after the change: what is added comes first (store-semantics 14).
  func applied(to names: [String]) -> [String] {
    switch self {
    case .set(let given): return withoutRepeats(given)
    case .add(let given): return withoutRepeats(given + names)
    case .remove(let given):
      let gone = Set(given.map(ByteText.init))
      return withoutRepeats(names.filter { !gone.contains(ByteText($0)) })
    }
  }
}

extension Store {
  // MARK: Looking

  /// Whether a layer, image or container has the identifier, name or unique identifier prefix; false also if that
  /// cannot
  /// be found out.
  public func exists(_ nameOrID: String) -> Bool { (try? lookup(nameOrID)) != nil }

  /// The full identifier of a layer, image or container, looked for in this order.
  ///
  /// - Throws: `layerUnknown` if there is none.
  public func lookup(_ nameOrID: String) throws(StorageError) -> String {
    try find(nameOrID, missing: .layerUnknown).id
  }

  /// The names of a layer, image or container, looked for in this order.
  ///
  /// - Throws: `layerUnknown` if there is none.
  public func names(of nameOrID: String) throws(StorageError) -> [String] {
    try find(nameOrID, missing: .layerUnknown).names
  }

  /// The metadata of a layer, image or container, looked for in this order.
  ///
  /// - Throws: `notAnID` if there is none.
  public func metadata(of nameOrID: String) throws(StorageError) -> String {
    try find(nameOrID, missing: .notAnID).metadata
  }

  private func find(
    _ nameOrID: String, missing: StorageError.Code
  ) throws(StorageError) -> (id: String, names: [String], metadata: String) {
    let layer = try read([.layers]) { (access) throws(StorageError) in access.layers.find(nameOrID)?.record }
    if let layer { return (layer.id.rawValue, layer.names, layer.metadata) }
    let image = try read([.images]) { (access) throws(StorageError) in access.images.find(nameOrID)?.record }
    if let image { return (image.id.rawValue, image.names, image.metadata) }
    let container = try read([.containers]) { (access) throws(StorageError) in
      access.containers.container(nameOrID)
    }
    if let container { return (container.id.rawValue, container.names, container.metadata) }
    throw StorageError(missing, subject: nameOrID)
  }

  // MARK: Names

  /// Gives a layer, image or container exactly these names. Names of other objects of its kind are taken away from
  /// them.
  ///
  /// An image that only an additional image store has is copied into the primary store first (store-semantics 14).
  /// - Returns: the names it has now.
  /// - Throws: `layerUnknown` if there is no such object.
  @discardableResult
  public func setNames(_ names: [String], of nameOrID: String) throws(StorageError) -> [String] {
    try change(.set(names), nameOrID)
  }

  /// Adds names in front of those a layer, image or container has. See ``setNames(_:of:)``.
  @discardableResult
  public func addNames(_ names: [String], to nameOrID: String) throws(StorageError) -> [String] {
    try change(.add(names), nameOrID)
  }

  /// Takes names off a layer, image or container. See ``setNames(_:of:)``.
  @discardableResult
  public func removeNames(_ names: [String], from nameOrID: String) throws(StorageError) -> [String] {
    try change(.remove(names), nameOrID)
  }

  func change(_ change: NameChange, _ nameOrID: String) throws(StorageError) -> [String] {
    if let names = try changeLayerNames(change, nameOrID) { return names }
    if let names = try changeImageNames(change, nameOrID) { return names }
    return try write([.containers]) { (access) throws(StorageError) -> [String] in
      let containers = access.containers
      guard let container = containers.reading.container(nameOrID) else {
        throw StorageError(.layerUnknown, subject: nameOrID)
      }
      let names = change.applied(to: container.names)
      try containers.setNames(names, of: container.id)
      return names
    }
  }

  private func changeLayerNames(_ change: NameChange, _ nameOrID: String) throws(StorageError) -> [String]? {
    try write([.ownLayers]) { (access) throws(StorageError) -> [String]? in
      let layers = access.layers
      guard let layer = layers.reading.findPrimary(nameOrID) else { return nil }
      let names = change.applied(to: layer.record.names)
      try layers.setNames(names, of: layer.id)
      return names
    }
  }

  private func changeImageNames(_ change: NameChange, _ nameOrID: String) throws(StorageError) -> [String]? {
    try write([.images]) { (access) throws(StorageError) -> [String]? in
      let all = access.images
      guard let found = all.view.find(nameOrID) else { return nil }
      let home = all.home(of: found)
      let images = all.at(home)
      if !all.view.isWritable[found.store] { try self.pullUp(found, images) }
      let names = change.applied(to: found.record.names)
      // First the new owner: a name is never without one.
      try images.setNames(names, of: found.record.id) { $0.remember(names) }
      try all.release(names, except: home)
      return names
    }
  }

  // MARK: Metadata

  /// Replaces the metadata of a layer, image or container of this store.
  ///
  /// - Throws: `notAnID` if there is no such object that can be changed.
  public func setMetadata(_ metadata: String, of nameOrID: String) throws(StorageError) {
    let isDone = try write([.ownLayers]) { (access) throws(StorageError) -> Bool in
      let layers = access.layers
      guard let layer = layers.reading.findPrimary(nameOrID) else { return false }
      try layers.update(layer.id) { $0.metadata = metadata }
      return true
    }
    if isDone { return }
    let isImage = try write([.ownImages]) { (access) throws(StorageError) -> Bool in
      let all = access.images
      for index in all.own {
        let images = all.at(index)
        guard let image = images.reading.find(nameOrID) else { continue }
        try images.update(image.id) { record in
          record.metadata = metadata
          record.settleDigest()
        }
        return true
      }
      return false
    }
    if isImage { return }
    try write([.containers]) { (access) throws(StorageError) in
      let containers = access.containers
      guard let container = containers.reading.container(nameOrID) else {
        throw StorageError(.notAnID, subject: nameOrID)
      }
      try containers.update(container.id) { $0.metadata = metadata }
    }
  }

  // MARK: Deleting

  /// Deletes a container with its layer, else an image without its layers, else a layer, *whatever depends on it*.
  ///
  /// - Throws: `layerUnknown` if there is no such object.
  public func unsafeDelete(_ nameOrID: String) throws(StorageError) {
    try UnsafeDeletion(store: self, object: nameOrID).run()
  }

  /// Deletes all containers, images and layers of this store. Additional image stores are not touched.
  ///
  /// - Parameter force: lets other graph roots that need layers of this one's image store lose them.
  /// - Throws: `layerHasChildren`, with nothing deleted, if another graph root needs a layer; `system`.
  public func wipe(force: Bool = false) throws(StorageError) { try Wipe(store: self, force: force).run() }
}

extension ImageRecord {
  /// Moves each name to the front of the history, in order (on-disk-format 6.3).
  mutating func remember(_ names: [String]) {
    for name in names {
      namesHistory.removeAll { $0.hasSameBytes(as: name) }
      namesHistory.insert(name, at: 0)
    }
    settleDigest()
  }

  /// Records the manifest's digest as that of an image that has none (on-disk-format 6.5).
  mutating func settleDigest() {
    if digest == nil { digest = digestsOrWarning(self).first }
  }
}
