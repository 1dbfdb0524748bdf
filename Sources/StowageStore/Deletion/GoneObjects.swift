// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageModel
internal import StowageRecords

/// Objects that are deleted, or would be, one after the other; which layers go with them follows.
struct GoneObjects: Sendable {
  private(set) var images: Set<ImageID> = []
  private(set) var containers: Set<ContainerID> = []
  private(set) var layers: Set<LayerID> = []
  /// Ties of layers to what is not made after all.
  var ties: [LayerTie] = []

  /// Adds an image: from each top layer downward layers go until somebody else needs one. A layer that another one of that name
  /// hides is left.
  ///
  /// - Parameter tops: its top layers, mapped copies first.
  /// - Returns: the layers that go with it, in order of deletion.
  mutating func add(
    _ image: ImageID, tops: [FoundLayer], _ needs: LayerNeeds, _ layers: borrowing LayersReading
  ) -> [FoundLayer] {
    images.insert(image)
    var list: [FoundLayer] = []
    for top in tops {
      var next: FoundLayer? = top
      while let layer = next, !self.layers.contains(layer.id), layers.primary(layer.id)?.location == layer.location,
        needs.reasons(for: layer).allSatisfy({ $0.ends(with: self) })
      {
        list.append(layer)
        self.layers.insert(layer.id)
        next = layer.record.parent.flatMap { layers.find($0, near: layer.location.role) }
      }
    }
    return list
  }

  /// Adds a layer.
  mutating func add(_ layer: LayerID) { layers.insert(layer) }

  /// Adds a container with its own layer.
  mutating func add(_ container: ContainerRecord) {
    containers.insert(container.id)
    layers.insert(container.layer)
  }
}

extension ImagesView {
  /// Positions of the stores that may be written and have an image, and its top layers there, mapped copies first.
  func own(
    _ image: ImageID, _ topology: StoreTopology, _ layers: borrowing LayersReading
  ) -> (stores: Set<Int>, tops: [FoundLayer]) {
    var (stores, tops): (Set<Int>, [FoundLayer]) = ([], [])
    for (index, table) in tables.enumerated() where isWritable[index] {
      guard let record = table[image] else { continue }
      stores.insert(index)
      tops += record.topLayers.compactMap { layers.find($0, near: topology.role(ofImageStore: index)) }
    }
    return (stores, tops)
  }
}
