// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
package import StowageModel
internal import StowageRecords
internal import SystemPackage

/// An image on its way into the store, layer by layer.
///
/// Layers made with ``LayerCreation/pending`` set to this are deleted by the next opener if the process ends before the
/// image's record is there. While this object lives, other processes see and may use the layers, but do not judge them.
/// Ends by ``finish()`` after the record is made, or by forgetting the object, which leaves the judgement to the next
/// opener.
package final class PendingImage: Sendable {
  private let store: Store
  private let image: ImageID
  /// Their instance locks are what shows that this process lives: to those who open the graph root, and to those who open
  /// the image store.
  private let directory: StagedDirectory
  private let imageDirectory: StagedDirectory?
  /// Their numbers.
  private let locks: (graphRoot: String, imageStore: String)

  /// Begins. See ``ImageOperations/beginLoad(_:)``.
  init(_ store: Store, _ image: ImageID) throws(StorageError) {
    self.store = store
    self.image = image
    if let refusal = store.topology.roots.refusal { throw refusal }
    directory = try StagedDirectory.create(in: store.topology.layers.data.temporary)
    let number = LayerDirectory.instanceNumber(of: directory.path)
    guard let place = store.topology.layers.temporaries.dropFirst().first else {
      imageDirectory = nil
      locks = (number, number)
      return
    }
    let second = try StagedDirectory.create(in: place)
    locks = (number, LayerDirectory.instanceNumber(of: second.path))
    imageDirectory = consume second
  }

  /// The tie of those layers of the image that are in one store.
  func tie(at role: LayerLocation.Role) -> LayerTie {
    LayerTie(.image, image.rawValue, lock: role == .imageStore ? locks.imageStore : locks.graphRoot)
  }

  private var ties: [LayerTie] { [tie(at: .graphRoot), tie(at: .imageStore)] }

  private func tiedLayers(_ layers: borrowing LayersReading) -> [LayerID] {
    let ties = ties
    return layers.ask { table in
      table.records.filter { $0.tie.map { ties.contains($0) } ?? false }.map(\.id)
    }
  }

  /// Ends the load without an image: its layers go, from the top, but for those that something else needs by now.
  package func abandon() throws(StorageError) {
    let ties = ties
    try store.write([.ownLayers]) { (access) throws(StorageError) in
      let layers = access.layers
      let needs = try store.needs(layers.reading)
      var (doomed, gone): ([LayerID], GoneObjects) = ([], GoneObjects(ties: ties))
      // Children were made after their parents.
      for id in tiedLayers(layers.reading).reversed()
      where needs.reasons(for: id).allSatisfy({ $0.ends(with: gone) }) {
        doomed.append(id)
        gone.add(id)
      }
      try layers.delete(doomed)
    }
  }

  /// Ends the load after the image's record is made: its layers are like all others now. One write for all of them.
  package func finish() throws(StorageError) {
    try store.write([.ownLayers]) { (access) throws(StorageError) in
      let layers = access.layers
      let tied = tiedLayers(layers.reading)
      if tied.isEmpty { return }
      layers.change { table in
        for id in tied { table.update(id) { $0.tie = nil } }
      }
      // The next opener does it if that is lost.
      try layers.save(.content)
    }
  }
}

extension ImageOperations {
  /// Announces an image whose layers are about to be put; see ``PendingImage``.
  package func beginLoad(_ id: ImageID) throws(StorageError) -> PendingImage { try PendingImage(store, id) }
}
