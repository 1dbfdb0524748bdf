// SPDX-License-Identifier: Apache-2.0

internal import StowageModel
internal import StowageRecords

extension LayerTie {
  /// Who needs a layer with this tie that a process left which died. Takes the locks of images and containers.
  func need(of layer: LayerID, in store: Store) throws(StorageError) -> Needed {
    try store.read([.images, .containers]) { (access) throws(StorageError) in
      var needed = Needed.byNobody
      for image in access.images.tables.flatMap(\.records) {
        if kind == .image, image.id.rawValue.hasSameBytes(as: id) { needed = .byOwner }
        if image.layer == layer || image.mappedLayers.contains(layer), needed == .byNobody { needed = .byOthers }
      }
      for container in access.containers.records {
        if kind == .container, container.id.rawValue.hasSameBytes(as: id) { needed = .byOwner }
        if container.layer == layer, needed == .byNobody { needed = .byOthers }
      }
      return needed
    }
  }
}
