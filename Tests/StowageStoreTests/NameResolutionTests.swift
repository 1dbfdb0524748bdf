// SPDX-License-Identifier: Apache-2.0

import StowageModel
import Testing

@testable import StowageStore

/// How people name objects; the rules for images are those that Podman 4.3.1 was seen to follow, but for what is ambiguous.
@Suite("Names that people type") struct NameResolutionTests {
  private let snapshot: StoreSnapshot

  init() throws {
    func image(_ id: String, _ names: String..., digest: String? = nil) throws -> ImageInfo {
      let record = ImageRecord(id: try ImageID(validating: id), layer: LayerID(recorded: "l-" + id), names: names)
      return ImageInfo(record: record, isReadOnly: false, digests: try digest.map { [try Digest(parsing: $0)] } ?? [])
    }
    let digest = "sha256:" + String(repeating: "d", count: 64)
    snapshot = StoreSnapshot(
      layers: try ["abff", "web-layer"].map {
        LayerInfo(record: LayerRecord(id: try LayerID(validating: $0), names: ["web"]), isReadOnly: false)
      },
      images: [
        try image("aa11", "localhost/two:1"), try image("aa22", "quay.io/acme/two:latest", digest: digest),
        try image("bb33", "docker.io/library/alpine:3"), try image("bb44", "registry.example/alpine:3"),
        try image("cc55", "quay.io/a/tool:1", "quay.io/b/tool:1"), try image("cc66", "quay.io/c/app:1"),
        try image("cc77", "registry.example/c/app:1"), try image("aa11", "localhost/two:1"),
        try image("deadbeef01234567"),
      ],
      containers: [
        ContainerRecord(
          id: try ContainerID(validating: "ab12"), layer: try LayerID(validating: "ab-own"), names: ["web"])
      ])
  }

  @Test(arguments: [
    ("localhost/two:1", "aa11"), ("aa11", "aa11"), ("aa2", "aa22"), ("sha256:aa2", "aa22"), ("two:1", "aa11"),
    ("two", "aa22"), ("acme/two", "aa22"), ("quay.io/acme/two", "aa22"), ("library/alpine:3", "bb33"),
    ("alpine:3", "bb33"), ("b/tool:1", "cc55"), ("tool:1", "cc55"), ("aa1", "aa11"),
    ("two@sha256:" + String(repeating: "d", count: 64), "aa22"),
    ("quay.io/acme/two@sha256:" + String(repeating: "d", count: 64), "aa22"),
  ])
  func `An image is found by name, short name and the beginning of its ID`(text: String, id: String) throws {
    #expect(try snapshot.image(named: text).id.rawValue == id)
  }

  @Test(arguments: [
    "localhost/two", "three", "", "sha256:", "TWO:1", "o:1", "wo:1", "web", "localhost/alpine:3",
    "localhost/two@sha256:" + String(repeating: "d", count: 64),
  ])
  func `What no image is meant by is not found`(text: String) {
    #expect(code { _ = try snapshot.image(named: text) } == .imageUnknown)
    #expect(message { _ = try snapshot.image(named: text) }?.hasPrefix("no image has the name or ID \"") == true)
  }

  @Test func `What a short name stands for is taken in its order, and localhost behind it`() throws {
    func image(_ name: String, _ whole: String...) throws(StorageError) -> String {
      try snapshot.image(named: name, searched: { _ in whole }).id.rawValue
    }
    #expect(try image("alpine:3", "registry.example/alpine:3") == "bb44")
    #expect(try image("alpine:3", "q.io/none:3", "docker.io/library/alpine:3", "registry.example/alpine:3") == "bb33")
    #expect(try image("nick", "quay.io/c/app:1") == "cc66")
    #expect(try image("two:1", "quay.io/acme/two:latest") == "aa22")
    #expect(try image("two:1", "localhost/two:1", "quay.io/acme/two:latest") == "aa11")
    #expect(try image("two:1", "q.io/none") == "aa11")
    #expect(code { _ = try image("localhost/alpine:3", "registry.example/alpine:3") } == .imageUnknown)
  }

  @Test func `The configuration is asked only for short names that are nothing else`() throws {
    let damage = StorageError(.configuration, "damaged")
    func found(_ name: String) throws(StorageError) -> String {
      try snapshot.object(named: name, searched: { (_) throws(StorageError) in throw damage }).id
    }
    for (name, id) in [
      ("web", "ab12"), ("aa11", "aa11"), ("quay.io/acme/two", "aa22"), ("localhost/two:1", "aa11"),
      ("deadbeef0123", "deadbeef01234567"),
    ] {
      #expect(try found(name) == id, "\(name)")
    }
    for name in ["two:1", "acme/two", "nope", "aa1"] {
      #expect(message { _ = try found(name) } == "damaged", "\(name)")
    }
    for name in ["q.io/nope", "localhost/nope", "No", ""] {
      #expect(message { _ = try found(name) }?.hasPrefix("no container") == true, "\(name)")
    }
  }

  @Test(arguments: [
    ("localhost/two", "localhost/two:1"), ("tool", "quay.io/a/tool:1 or quay.io/b/tool:1"),
    ("alpine", "docker.io/library/alpine:3 or registry.example/alpine:3"),
    ("library/alpine", "docker.io/library/alpine:3"),
    ("quay.io/c/app:2", "quay.io/c/app:1"),
  ])
  func `What has another tag is told as what may be meant`(text: String, meant: String) {
    let kinds: [StoredObject.Kind] = [.image, .layer]
    #expect(
      message { _ = try snapshot.object(named: text, among: kinds) }
        == "no image or layer has the name or ID \"\(text)\"; did you mean \(meant)?")
    #expect(message { _ = try snapshot.container(named: text) }?.contains("mean") == false)
  }

  @Test func `What may be several objects is refused with all of them`() {
    #expect(
      message { _ = try snapshot.image(named: "app:1") }
        == "\"app:1\" may be any of: image cc66 (\"quay.io/c/app:1\"), image cc77 (\"registry.example/c/app:1\"); "
        + "say which by a longer name or ID")
    #expect(code { _ = try snapshot.image(named: "aa") } == .ambiguous)
    #expect(
      message { _ = try snapshot.object(named: "ab") }?.contains("container ab12 (\"web\"), layer abff (\"web\")")
        == true)
  }

  @Test func `Exact names come before short ones, and kinds in the order asked for`() throws {
    #expect(try snapshot.object(named: "web").kind == .container)
    #expect(try snapshot.object(named: "two:1").kind == .image)
    #expect(try snapshot.layer(named: "web").rawValue == "abff")
    #expect(try snapshot.layer(named: "ab12").rawValue == "ab-own")
    #expect(try snapshot.layer(named: "two:1").rawValue == "l-aa11")
    #expect(try snapshot.container(named: "ab").id.rawValue == "ab12")
    #expect(code { _ = try snapshot.container(named: "two:1") } == .containerUnknown)
    #expect(code { _ = try snapshot.layer(named: "nope") } == .layerUnknown)
  }
}
