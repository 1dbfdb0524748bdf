// SPDX-License-Identifier: Apache-2.0
import StowageModel

@testable import StowageStore
@testable import stowage_cli

extension SampleView {
  /// What the images and containers of the sample take, and a tree that somebody left.
  static func usage(hasExclusive: Bool) throws -> DiskUsage {
    let snapshot = try view().snapshot
    func space(_ bytes: Int64, shared: Int64 = 0, reclaimable: Int64? = 0, exclusive: Int64) -> DiskUsage.Space {
      .init(bytes: bytes, shared: shared, reclaimable: reclaimable, exclusive: hasExclusive ? exclusive : nil)
    }
    var usage = DiskUsage()
    let base: Int64 = 3_215_360
    let images = [
      (base + 56832, base, Int64(4096), Int64(60928)), (base + 1_500_000, base, 1_500_000, 1_504_096),
      (base + 51712, base + 51712, 0, 0), (base, base, 0, 0),
    ]
    usage.images = zip(snapshot.images, images).map { image, sizes in
      DiskUsage.Image(
        record: image.record,
        space: space(sizes.0, shared: sizes.1, reclaimable: sizes.2, exclusive: sizes.3), layers: [],
        containers: snapshot.containers.filter { $0.image == image.record.id }.map(\.id), isInUse: false)
    }
    usage.containers = zip(snapshot.containers, [Int64(5770), 8192]).map { record, bytes in
      DiskUsage.Container(
        record: record, space: space(bytes, reclaimable: nil, exclusive: 4096), isMounted: bytes == 8192)
    }
    usage.layers = snapshot.layers.prefix(2).map { layer in
      DiskUsage.Layer(
        record: layer.record, space: space(layer.record.diffSize, exclusive: 0), images: usage.images.map(\.record.id),
        container: layer.record.parent == nil ? nil : usage.containers.first?.record.id, isMounted: false)
    }
    usage.leftovers = [.init(kind: .layer, path: "/var/lib/containers/storage/overlay/\(id("dead"))", bytes: 1_234_567)]
    usage.parts = [
      .init(
        kind: .images, count: 4, inUse: 2,
        space: space(4_823_904, shared: base, reclaimable: 4096, exclusive: 1_608_544)),
      .init(kind: .containers, count: 2, inUse: 1, space: space(13962, reclaimable: nil, exclusive: 8192)),
      .init(kind: .layers, count: 0, inUse: 0, space: space(0, exclusive: 0)),
      .init(
        kind: .leftovers, count: 1, inUse: nil, space: space(1_234_567, reclaimable: 1_234_567, exclusive: 1_234_567)),
      .init(kind: .downloads, count: nil, inUse: nil, space: space(0, exclusive: 0)),
      .init(kind: .records, count: nil, inUse: nil, space: space(16384, exclusive: 16384)),
    ]
    return usage
  }
}
