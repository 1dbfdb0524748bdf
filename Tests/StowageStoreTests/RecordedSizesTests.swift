// SPDX-License-Identifier: Apache-2.0

import StowageModel
import Testing

@testable import StowageStore

@Suite("Recorded sizes") struct RecordedSizesTests {
  private func layer(_ id: String, on parent: String? = nil, _ size: Int64?) throws -> LayerInfo {
    var record = LayerRecord(id: try LayerID(validating: id), parent: parent.flatMap { LayerID(recorded: $0) })
    if let size {
      record.diffSize = size
      record.diffDigest = try Digest(parsing: "sha256:" + String(repeating: "a", count: 64))
    }
    return LayerInfo(record: record, isReadOnly: false)
  }

  private func image(_ id: String, on layer: String?, mapped: String..., items: Int64 = 1) throws -> ImageInfo {
    var record = ImageRecord(id: try ImageID(validating: id), layer: layer.flatMap { LayerID(recorded: $0) })
    record.mappedLayers = mapped.compactMap { LayerID(recorded: $0) }
    record.bigDataSizes["manifest"] = items
    return ImageInfo(record: record, isReadOnly: false, digests: [])
  }

  @Test func `Shared layers count for each image, and for none of them as its own`() throws {
    let layers = [try layer("base", 100), try layer("a", on: "base", 20), try layer("m", on: "base", 3)]
    let images = [
      try image("one", on: "base"), try image("two", on: "a", mapped: "m"), try image("data", on: nil, items: 7),
    ]
    let sizes = RecordedSizes(StoreSnapshot(layers: layers, images: images + [images[1]], containers: []))
    #expect(images.map { sizes.size(of: $0.record) } == [101, 124, 7])
    #expect(images.map { sizes.ownSize(of: $0.record) } == [1, 24, 7])
    #expect(sizes.chain(of: images[1].record).map(\.rawValue) == ["base", "a"])
    #expect(sizes.images(with: layers[0].id).map(\.id.rawValue) == ["one", "two"])
  }

  @Test func `What is not recorded, or cannot be, has no size`() throws {
    let layers = [
      try layer("none", nil), try layer("negative", -1), try layer("huge", .max), try layer("orphan", on: "gone", 1),
      try layer("x", on: "y", 1), try layer("y", on: "x", 2),
    ]
    let images = try ["none", "negative", "huge", "orphan", "gone"].map { try image($0, on: $0) }
    let circle = try image("circle", on: "x")
    let sizes = RecordedSizes(StoreSnapshot(layers: layers, images: images + [circle], containers: []))
    #expect(images.allSatisfy { sizes.size(of: $0.record) == nil && sizes.ownSize(of: $0.record) == nil })
    #expect(sizes.size(of: circle.record) == 4)
  }

  @Test func `A configuration of any form is read without a trap`() throws {
    for text in [
      #"{"config":[],"history":{},"rootfs":7,"os":5,"created":1}"#,
      #"{"config":{"Labels":[1],"Env":{}},"history":[1,null]}"#,
      #"{"config":null,"history":[{"created":"never","created_by":1,"empty_layer":"yes"}]}"#,
    ] {
      let value = try Array(text.utf8).withUnsafeBufferPointer { buffer in
        var reader = JSONReader(buffer)
        return try reader.readValue()
      }
      let configuration = ImageConfiguration(document: value)
      #expect(configuration.labels.values.allSatisfy(\.isEmpty) && configuration.created == nil)
      #expect(configuration.os.isEmpty && configuration.diffIDs.isEmpty)
      let layers = ["a", "b", "c"].compactMap { LayerID(recorded: $0) }
      #expect(configuration.history(of: layers).compactMap(\.layer) == layers)
      #expect(configuration.history(of: []).allSatisfy { $0.layer == nil })
    }
  }
}
