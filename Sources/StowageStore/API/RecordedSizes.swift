// SPDX-License-Identifier: Apache-2.0

public import StowageModel

/// What images and layers take and who uses them, as their records say: no tree is looked at.
///
/// Sizes are bytes of uncompressed archives, as `ImageOperations.size(of:)` has them, not space on disk.
public struct RecordedSizes: Sendable {
  private var layers: [LayerID: LayerRecord] = [:]
  private var imagesByLayer: [LayerID: [ImageRecord]] = [:]
  private var containersByImage: [ImageID: [ContainerRecord]] = [:]

  /// Takes records of layers, images and containers. Of those with the same identifier the first counts.
  public init(_ snapshot: StoreSnapshot) {
    for layer in snapshot.layers where layers[layer.id] == nil { layers[layer.id] = layer.record }
    for container in snapshot.containers {
      if let image = container.image { containersByImage[image, default: []].append(container) }
    }
    var seen: Set<ImageID> = []
    for image in snapshot.images where seen.insert(image.id).inserted {
      for layer in allLayers(of: image.record).ids { imagesByLayer[layer, default: []].append(image.record) }
    }
  }

  /// The layers that an image's tree consists of, base layer first, as far as they are recorded.
  public func chain(of image: ImageRecord) -> [LayerID] { allLayers([image.layer]).ids.reversed() }

  /// The size of a layer's diff; nil if it is not recorded.
  public func size(of layer: LayerID) -> Int64? {
    guard let record = layers[layer], record.diffDigest != nil || record.tocDigest != nil, record.diffSize >= 0
    else { return nil }
    return record.diffSize
  }

  /// The size of an image: all its layers, mapped copies too, each once, and its big data. Nil if a part is not recorded.
  public func size(of image: ImageRecord) -> Int64? {
    let all = allLayers(of: image)
    return all.isWhole ? sum(all.ids, image) : nil
  }

  /// The part of an image's size that no other image has. Nil if a part is not recorded.
  public func ownSize(of image: ImageRecord) -> Int64? {
    let all = allLayers(of: image)
    return all.isWhole ? sum(all.ids.filter { images(with: $0).allSatisfy { $0.id == image.id } }, image) : nil
  }

  /// The images that a layer is part of.
  public func images(with layer: LayerID) -> [ImageRecord] { imagesByLayer[layer] ?? [] }

  /// The containers that were made from an image.
  public func containers(of image: ImageID) -> [ContainerRecord] { containersByImage[image] ?? [] }

  private func sum(_ ids: [LayerID], _ image: ImageRecord) -> Int64? {
    var total: Int64 = 0
    for part in ids.map({ size(of: $0) }) + image.bigDataSizes.map({ $0.value }) {
      // Numbers of damaged records can be anything.
      guard let part, part >= 0 else { return nil }
      let (next, isTooLarge) = total.addingReportingOverflow(part)
      if isTooLarge { return nil }
      total = next
    }
    return total
  }

  private func allLayers(of image: ImageRecord) -> (ids: [LayerID], isWhole: Bool) {
    allLayers([image.layer] + image.mappedLayers)
  }

  /// Layers and what is below them, nearest first, each once, so that a layer that is its own ancestor ends the search;
  /// and whether all are recorded.
  private func allLayers(_ tops: [LayerID?]) -> (ids: [LayerID], isWhole: Bool) {
    var (ids, seen, isWhole): ([LayerID], Set<LayerID>, Bool) = ([], [], true)
    for top in tops {
      var next = top
      while let id = next, seen.insert(id).inserted {
        guard let layer = layers[id] else {
          isWhole = false
          break
        }
        ids.append(id)
        next = layer.parent
      }
    }
    return (ids, isWhole)
  }
}
