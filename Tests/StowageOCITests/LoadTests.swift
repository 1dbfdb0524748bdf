// SPDX-License-Identifier: Apache-2.0

import Glibc
import Stowage
import StowageConfig
import StowageDigest
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import Synchronization
import SystemPackage
import Testing

@testable import StowageOCI

private let isRoot = getuid() == 0

/// A store in a directory that goes away.
final class TestStore {
  let scratch = Scratch()
  let driver: String
  let store: Store

  var graphRoot: String { "\(scratch.path)/G" }
  /// Global options for Podman on the same store.
  var podman: String {
    "podman --root \(graphRoot) --runroot \(scratch.path)/R --storage-driver \(driver)"
  }

  init(_ driver: String) throws {
    self.driver = driver
    let options = StoreOptions(
      graphRoot: "\(scratch.path)/G", runRoot: "\(scratch.path)/R", driverName: driver)
    store = try Store.open(options)
  }

  deinit {
    _ = try? store.shutdown(force: true)
    // Podman may have left the graph root's own mount.
    _ = try? shell("umount \(graphRoot)/\(driver) 2>/dev/null || true")
  }

  @discardableResult
  func load(
    _ path: String, name: String? = nil, progress: LoadProgress = .silent
  ) throws(StorageError) -> [LoadedImage] {
    try ImageLoader(store).load(from: .path(path), name: name, progress: progress)
  }

  /// `images.json` as on disk.
  func images() throws -> String {
    String(decoding: try contents("\(graphRoot)/\(driver)-images/images.json"), as: UTF8.self)
  }

  /// `layers.json` with the times of creation taken out.
  func layers() throws -> String {
    let text = String(decoding: try contents("\(graphRoot)/\(driver)-layers/layers.json"), as: UTF8.self)
    return text.replacing(/"created":"[^"]*",/, with: "")
  }

  func isEmpty() throws -> Bool {
    try store.layers.list().isEmpty && store.images.list().isEmpty
      && store.layers.listInDriver().filter { $0 != "l" && $0 != "tempdirs" }.isEmpty
  }
}

/// Records that Podman (a 6.0 development version, by its `{}` for metadata) left after loading the sample archives.
private enum PodmanRecords {
  static func images(_ manifest: String, size: Int, names: String = #""localhost/sample:two""#, history: String? = nil)
    -> String
  {
    let config = "sha256:\(FormatTests.imageID)"
    return
      #"[{"id":"\#(FormatTests.imageID)","digest":"\#(manifest)","names":[\#(names)],"names-history":[\#(history ?? names)],"#
      + #""layer":"\#(FormatTests.topLayer)","metadata":"{}","big-data-names":["\#(config)","manifest-\#(manifest)","manifest"],"#
      + #""big-data-sizes":{"manifest":\#(size),"manifest-\#(manifest)":\#(size),"\#(config)":505},"#
      + #""big-data-digests":{"manifest":"\#(manifest)","manifest-\#(manifest)":"\#(manifest)","\#(config)":"\#(config)"},"#
      + #""created":"2020-09-13T12:26:41Z"}]"#
  }

  static let fromDocker = images(FormatTests.dockerManifest, size: 585)
  static let fromOCI = images(FormatTests.ociManifest, size: 745)

  static let layersFromDocker =
    #"[{"id":"3717ebf6b99829012d72befa3dd65a58ce390345158e1cdaab27f13a799d2d35","compressed-diff-digest":"sha256:3717ebf6b99829012d72befa3dd65a58ce390345158e1cdaab27f13a799d2d35","compressed-size":5120,"diff-digest":"sha256:3717ebf6b99829012d72befa3dd65a58ce390345158e1cdaab27f13a799d2d35","diff-size":5120,"uidset":[0],"gidset":[0]},{"id":"b073d9cbf36a9c0d97365140ad56d262bec684d5cc3267d8c2c2d880a0a5a4fa","parent":"3717ebf6b99829012d72befa3dd65a58ce390345158e1cdaab27f13a799d2d35","compressed-diff-digest":"sha256:da0b40171b6029ab7c481f14820f69af56d3f3966c397d37f049d608ebb4e431","compressed-size":3072,"diff-digest":"sha256:da0b40171b6029ab7c481f14820f69af56d3f3966c397d37f049d608ebb4e431","diff-size":3072,"uidset":[0],"gidset":[0]}]"#
  static let layersFromOCI =
    #"[{"id":"3717ebf6b99829012d72befa3dd65a58ce390345158e1cdaab27f13a799d2d35","compressed-diff-digest":"sha256:54140826d1185e825a6a6f659f69c85022d1b32bf4d7990b97fea98799a57091","compressed-size":241,"diff-digest":"sha256:3717ebf6b99829012d72befa3dd65a58ce390345158e1cdaab27f13a799d2d35","diff-size":5120,"compression":2,"uidset":[0],"gidset":[0]},{"id":"b073d9cbf36a9c0d97365140ad56d262bec684d5cc3267d8c2c2d880a0a5a4fa","parent":"3717ebf6b99829012d72befa3dd65a58ce390345158e1cdaab27f13a799d2d35","compressed-diff-digest":"sha256:152024fd62c5869b966bfe28ed965fabf921bc5d89a5b3777da40db303831940","compressed-size":164,"diff-digest":"sha256:da0b40171b6029ab7c481f14820f69af56d3f3966c397d37f049d608ebb4e431","diff-size":3072,"compression":2,"uidset":[0],"gidset":[0]}]"#
}

@Suite(
  "Loading images", .tags(.root), .enabled(if: isRoot, "layers have owners and the overlay driver mounts"), .serialized)
struct LoadTests {
  @Test(.tags(.driver), arguments: ["overlay", "vfs"])
  func `A docker-archive leaves the records that Podman leaves`(driver: String) throws {
    let test = try TestStore(driver)
    let loaded = try test.load(fixture("sample-docker-archive.tar"))
    #expect(loaded.map(\.references) == [["localhost/sample:two"]])
    #expect(loaded.map(\.wasAlreadyPresent) == [false])
    #expect(try test.images() == PodmanRecords.fromDocker)
    #expect(try test.layers() == PodmanRecords.layersFromDocker)
  }

  @Test(.tags(.driver), arguments: ["overlay", "vfs"])
  func `An OCI archive leaves the records that Podman leaves`(driver: String) throws {
    let test = try TestStore(driver)
    try test.load(fixture("sample-oci-archive.tar"))
    #expect(try test.images() == PodmanRecords.fromOCI)
    #expect(try test.layers() == PodmanRecords.layersFromOCI)
    let item = try contents(
      "\(test.graphRoot)/\(driver)-images/\(FormatTests.imageID)/manifest")
    #expect(sha256(of: item).description == FormatTests.ociManifest)
  }

  @Test func `Loading twice changes no byte`() throws {
    let test = try TestStore("overlay")
    try test.load(fixture("sample-oci-archive.tar"))
    let (images, layers) = (try test.images(), try contents("\(test.graphRoot)/overlay-layers/layers.json"))
    let second = try test.load(fixture("sample-oci-archive.tar"))
    #expect(second.map(\.wasAlreadyPresent) == [true])
    #expect(try test.images() == images)
    #expect(try contents("\(test.graphRoot)/overlay-layers/layers.json") == layers)
  }

  @Test func `The same image from another archive adds its manifest to the record`() throws {
    let test = try TestStore("vfs")
    try test.load(fixture("sample-docker-archive.tar"))
    try test.load(fixture("sample-oci-archive.tar"))
    let record = try test.store.images.find(FormatTests.imageID).record
    #expect(
      record.bigDataNames == [
        "sha256:\(FormatTests.imageID)", "manifest-\(FormatTests.dockerManifest)", "manifest",
        "manifest-\(FormatTests.ociManifest)",
      ])
    #expect(record.bigDataDigests["manifest"]?.description == FormatTests.ociManifest)
    #expect(record.names == ["localhost/sample:two"])
    #expect(try test.layers() == PodmanRecords.layersFromDocker)
  }

  @Test(.tags(.interop, .driver), arguments: ["overlay", "vfs"])
  func `Podman sees an image it need not load again`(driver: String) throws {
    let test = try TestStore(driver)
    try test.load(fixture("sample-docker-archive.tar"))
    let layers = try contents("\(test.graphRoot)/\(driver)-layers/layers.json")
    #expect(
      try shell("\(test.podman) images --noheading --no-trunc --format '{{.ID}} {{.Repository}}:{{.Tag}}'")
        == "sha256:\(FormatTests.imageID) localhost/sample:two\n")
    let output = try shell("\(test.podman) load -q -i \(fixture("sample-docker-archive.tar"))")
    #expect(output == "Loaded image: localhost/sample:two\n")
    #expect(try contents("\(test.graphRoot)/\(driver)-layers/layers.json") == layers)
    let record = try test.store.images.find(FormatTests.imageID).record
    #expect(record.names == ["localhost/sample:two"])
  }

  @Test(
    .tags(.interop, .driver), arguments: ["overlay", "vfs"], ["sample-docker-archive.tar", "sample-oci-archive.tar"])
  func `An image that Podman loaded is not touched`(driver: String, archive: String) throws {
    let test = try TestStore(driver)
    try shell("\(test.podman) load -q -i \(fixture(archive))")
    let (images, layers) = (try test.images(), try contents("\(test.graphRoot)/\(driver)-layers/layers.json"))
    #expect(try test.load(fixture(archive)).map(\.wasAlreadyPresent) == [true])
    #expect(try test.images() == images)
    #expect(try contents("\(test.graphRoot)/\(driver)-layers/layers.json") == layers)
  }

  @Test func `A name replaces those of the archive and goes in front`() throws {
    let test = try TestStore("vfs")
    try test.load(fixture("sample-docker-archive.tar"))
    let loaded = try test.load(fixture("sample-docker-archive.tar"), name: "other")
    #expect(loaded.map(\.names) == [["localhost/other:latest"]])
    #expect(
      try test.images()
        == PodmanRecords.images(
          FormatTests.dockerManifest, size: 585, names: #""localhost/other:latest","localhost/sample:two""#,
          history: #""localhost/sample:two","localhost/other:latest""#))
  }

  @Test func `An unnamed image is reported by its identifier`() throws {
    let test = try TestStore("vfs")
    try shell("mkdir \(test.scratch.path)/l; tar xf \(fixture("sample-oci-archive.tar")) -C \(test.scratch.path)/l")
    let loaded = try test.load("\(test.scratch.path)/l")
    #expect(loaded.map(\.references) == [["sha256:\(FormatTests.imageID)"]])
    #expect(try test.store.images.find(FormatTests.imageID).record.names.isEmpty)
  }

  @Test func `A pipe is read like a file`() throws {
    let test = try TestStore("vfs")
    let pipe = "\(test.scratch.path)/pipe"
    try shell("mkfifo \(pipe)")
    try shell("(gzip -c < \(fixture("sample-oci-archive.tar")) > \(pipe)) > /dev/null 2>&1 &")
    try test.load(pipe)
    #expect(try test.images() == PodmanRecords.fromOCI)
  }

  @Test func `The layers of a docker-archive may be compressed`() throws {
    let test = try TestStore("overlay")
    try shell(
      """
      cd \(test.scratch.path); mkdir d; tar xf \(fixture("sample-docker-archive.tar")) -C d; cd d
      zstd -q --rm \(FormatTests.base).tar -o x; mv x \(FormatTests.base).tar; tar cf ../a.tar *
      """)
    try test.load("\(test.scratch.path)/a.tar")
    #expect(try test.images() == PodmanRecords.fromDocker)
    #expect(try test.layers() == PodmanRecords.layersFromDocker)
  }

  @Test(.tags(.interop)) func `Signatures of a directory are kept as Podman keeps them`() throws {
    let test = try TestStore("vfs")
    let directory = "\(test.scratch.path)/d"
    try shell(
      """
      skopeo --insecure-policy copy -q docker-archive:\(fixture("sample-docker-archive.tar")) dir:\(directory)
      printf '\\211AAA' > \(directory)/signature-1; printf '\\211BBBBB' > \(directory)/signature-2
      """)
    try test.load(directory)
    let ours = try #require(try test.store.images.list().first?.record)
    let reference = try TestStore("vfs")
    try shell("\(reference.podman) load -q -i \(directory)")
    let theirs = try #require(try reference.store.images.list().first?.record)
    #expect(ours.metadata == theirs.metadata)
    #expect(ours.bigDataNames == theirs.bigDataNames)
    #expect(ours.bigDataDigests == theirs.bigDataDigests)
  }

  @Test func `Progress ends with every byte of every layer`() throws {
    let test = try TestStore("vfs")
    let reports = Mutex<[LoadProgress.Report]>([])
    let progress = LoadProgress { report in reports.withLock { $0.append(report) } }
    try test.load(fixture("sample-oci-archive.tar"), progress: progress)
    try test.load(fixture("sample-oci-archive.tar"), progress: progress)
    let all = reports.withLock { $0 }
    #expect(all.allSatisfy { $0.doneBytes <= $0.totalBytes && $0.layerCount == 2 && $0.image == 0 })
    #expect(all.filter { $0.state == .done }.map(\.doneBytes) == [241, 164])
    #expect(all.filter { $0.state == .reused }.map(\.layer) == [0, 1])
    #expect(all.contains { $0.state == .extracting && $0.doneBytes == 241 })
  }
}

@Suite(
  "Loads that fail", .tags(.root), .enabled(if: isRoot, "layers have owners and the overlay driver mounts"), .serialized
)
struct FailedLoadTests {
  /// The sample image as a layout directory, with one blob edited.
  private func damage(_ test: TestStore, _ blob: String, _ edit: (inout [UInt8]) -> Void) throws -> String {
    let directory = "\(test.scratch.path)/layout"
    try shell("mkdir -p \(directory); tar xf \(fixture("sample-oci-archive.tar")) -C \(directory)")
    var bytes = try contents("\(directory)/blobs/sha256/\(blob)")
    edit(&bytes)
    _ = test.scratch.write(bytes, "layout/blobs/sha256/\(blob)")
    return directory
  }

  @Test(.tags(.driver, .slow), arguments: ["overlay", "vfs"])
  func `A changed layer leaves nothing behind`(driver: String) throws {
    for position in [9, 40, 100, 150, 163] {
      let test = try TestStore(driver)
      let path = try damage(test, "152024fd62c5869b966bfe28ed965fabf921bc5d89a5b3777da40db303831940") {
        $0[position] ^= 0x10
      }
      let error = #expect(throws: StorageError.self) { try test.load(path) }
      #expect(error?.message.contains("layer 1 (blob sha256:152024fd") == true)
      #expect(try test.isEmpty())
    }
  }

  @Test(.tags(.driver), arguments: ["overlay", "vfs"])
  func `A layer that is not the one of the configuration leaves nothing behind`(driver: String) throws {
    let test = try TestStore(driver)
    let path = "\(test.scratch.path)/a.tar"
    try shell(
      """
      cd \(test.scratch.path); mkdir d; tar xf \(fixture("sample-docker-archive.tar")) -C d; cd d
      cp \(FormatTests.base).tar \(FormatTests.second).tar; tar cf \(path) *
      """)
    let error = #expect(throws: StorageError.self) { try test.load(path) }
    #expect(error?.code == .digestMismatch)
    #expect(try test.isEmpty())
  }

  @Test func `Layers that were there before stay after a failure`() throws {
    let test = try TestStore("overlay")
    try test.load(fixture("sample-oci-archive.tar"))
    let images = try test.images()
    var builder = TarBuilder()
    let config =
      #"{"rootfs":{"diff_ids":["sha256:\#(FormatTests.base)","sha256:\#(DamagedArchiveTests.emptyDigest)"]}}"#
    builder.add("manifest.json", text: #"[{"Config":"c","Layers":["a","b"]}]"#)
    builder.add("c", text: config)
    builder.add("a")
    builder.add("b", text: "not empty, not a tar either")
    let path = test.scratch.write(builder.finished)
    #expect(throws: StorageError.self) { try test.load(path) }
    #expect(try test.images() == images)
    #expect(try test.layers() == PodmanRecords.layersFromOCI)
  }

  @Test func `One bad image of an archive keeps the good ones out`() throws {
    let test = try TestStore("vfs")
    let path = "\(test.scratch.path)/a.tar"
    try shell(
      """
      cd \(test.scratch.path); mkdir d; tar xf \(fixture("sample-docker-archive.tar")) -C d; cd d
      c=\(FormatTests.imageID).json; sed 's/\(FormatTests.base)/\(DamagedArchiveTests.emptyDigest)/' $c > bad.json
      item=$(sed 's/^.//;s/.$//' manifest.json)
      printf '[%s,%s]' "$item" "${item/$c/bad.json}" > manifest.json
      tar cf \(path) *
      """)
    #expect(throws: StorageError.self) { try test.load(path) }
    #expect(try test.isEmpty())
  }

  @Test func `An image over another top layer is refused`() throws {
    let test = try TestStore("vfs")
    _ = try test.store.images.create(ImageCreation(id: FormatTests.imageID))
    let error = #expect(throws: StorageError.self) { try test.load(fixture("sample-oci-archive.tar")) }
    #expect(
      error?.message.hasSuffix(
        #"image with ID "\#(FormatTests.imageID)" already exists, but uses a different top layer"#) == true)
    #expect(try test.store.layers.list().isEmpty)
    #expect(try test.store.images.list().count == 1)
  }

  @Test func `A name is for one image`() throws {
    let test = try TestStore("vfs")
    let path = "\(test.scratch.path)/a.tar"
    try shell(
      """
      cd \(test.scratch.path); mkdir d; tar xf \(fixture("sample-docker-archive.tar")) -C d; cd d
      item=$(sed 's/^.//;s/.$//' manifest.json); printf '[%s,%s]' "$item" "$item" > manifest.json; tar cf \(path) *
      """)
    #expect(throws: StorageError.self) { try test.load(path, name: "x") }
    #expect(throws: StorageError.self) { try test.load(fixture("sample-oci-archive.tar"), name: "No") }
    #expect(throws: StorageError.self) {
      try test.load(fixture("sample-oci-archive.tar"), name: "x@\(FormatTests.dockerManifest)")
    }
    #expect(try test.isEmpty())
    #expect(
      try test.load(fixture("sample-oci-archive.tar"), name: "x@\(FormatTests.ociManifest)").map(\.names) == [
        ["localhost/x@\(FormatTests.ociManifest)"]
      ])
  }

  @Test func `Loads at the same time do not disturb each other`() async throws {
    let test = try TestStore("overlay")
    let store = test.store
    try await withThrowingTaskGroup(of: Int.self) { group in
      for index in 0..<4 {
        let path: String = fixture(index % 2 == 0 ? "sample-oci-archive.tar" : "sample-docker-archive.tar")
        group.addTask { try ImageLoader(store).load(from: .path(path)).count }
      }
      for try await count in group { #expect(count == 1) }
    }
    #expect(try store.images.list().map(\.record.names) == [["localhost/sample:two"]])
    #expect(try store.layers.list().count == 2)
  }
}
