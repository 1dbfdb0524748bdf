// SPDX-License-Identifier: Apache-2.0

internal import StowageModel
internal import StowageRecords

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

/// A change of the names of a layer, image or container, looked for in this order.
struct Renaming {
  private let store: Store
  private let nameOrID: String
  private let change: NameChange

  init(store: Store, object nameOrID: String, _ change: NameChange) {
    self.store = store
    self.nameOrID = nameOrID
    self.change = change
  }

  /// Changes them. Names of other objects of its kind are taken away from these; a name is never without owner.
  ///
  /// - Returns: the names it has now.
  /// - Throws: `layerUnknown` if there is no such object; `system`.
  func run() throws(StorageError) -> [String] {
    for parts in [StoreParts.ownLayers, .images, .containers] {
      let names = try store.write(parts) { (access) throws(StorageError) in try access.rename(nameOrID, change) }
      if let names { return names }
    }
    throw StorageError(.layerUnknown, subject: nameOrID)
  }
}

extension StoreWriting {
  /// Changes the names of a layer, image or container among the parts that may be changed, looked for in this order.
  ///
  /// - Returns: the names it has now; `nil` if there is no such object.
  func rename(_ nameOrID: String, _ change: NameChange) throws(StorageError) -> [String]? {
    if changesLayers, let layer = layers.reading.findPrimary(nameOrID) {
      let names = change.applied(to: layer.record.names)
      try layers.setNames(names, of: layer.id)
      return names
    }
    if changesImages, let names = try renameImage(nameOrID, change) { return names }
    if changesContainers, let container = containers.reading.container(nameOrID) {
      let names = change.applied(to: container.names)
      try containers.setNames(names, of: container.id)
      return names
    }
    return nil
  }

  private func renameImage(_ nameOrID: String, _ change: NameChange) throws(StorageError) -> [String]? {
    let all = images
    guard let found = all.view.find(nameOrID) else { return nil }
    let home = all.home(of: found)
    let images = all.at(home)
    if !all.view.isWritable[found.store] { try found.copy(into: images, from: store) }
    let names = change.applied(to: found.record.names)
    // First the new owner: a name is never without one.
    try images.setNames(names, of: found.record.id) { $0.remember(names) }
    try all.release(names, except: home)
    return names
  }
}

extension ImageRecord {
  /// Moves each name to the front of the history, in order (on-disk-format 6.3).
  mutating func remember(_ names: [String]) {
    let moved = Set(names.map(ByteText.init))
    namesHistory = withoutRepeats(names.reversed()) + namesHistory.filter { !moved.contains(ByteText($0)) }
    settleDigest()
  }

  /// Records the manifest's digest as that of an image that has none (on-disk-format 6.5).
  mutating func settleDigest() {
    if digest == nil { digest = digestsOrWarning(self).first }
  }
}
