// SPDX-License-Identifier: Apache-2.0

import Glibc
import StowageDigest
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

@testable import StowageOCI

/// Images whose layers are extracted several at a time. Expected values: what Podman makes of the same archives.
@Suite(
  "Images of many layers", .tags(.root),
  .enabled(if: getuid() == 0, "layers have owners and the overlay driver mounts"), .serialized)
struct ManyLayersTests {
  /// A docker-archive with one file per layer; layers from `start` on differ from those of another start.
  static func archive(layers count: Int, name: String, variant: Int = 0, from start: Int = .max) -> [UInt8] {
    var builder = TarBuilder()
    var diffIDs: [String] = []
    for index in 0..<count {
      var layer = TarBuilder()
      layer.add("file-\(index)", text: String(repeating: "\(index)-\(index < start ? 0 : variant)\n", count: 40_000))
      layer.add("shared", text: "layer \(index)")
      builder.add("\(index).tar", layer.finished)
      diffIDs.append("\"\(sha256(of: layer.finished))\"")
    }
    let paths = (0..<count).map { "\"\($0).tar\"" }.joined(separator: ",")
    builder.add("manifest.json", text: #"[{"Config":"c.json","RepoTags":["\#(name)"],"Layers":[\#(paths)]}]"#)
    let config =
      #"{"created":"2024-05-06T07:08:09.1Z","architecture":"amd64","os":"linux","config":{},"#
      + #""rootfs":{"type":"layers","diff_ids":[\#(diffIDs.joined(separator: ","))]}}"#
    builder.add("c.json", text: config)
    return builder.finished
  }

  /// The directory tree below the graph root's driver directory, without what differs by chance.
  private func tree(_ test: TestStore) throws -> String {
    try shell("cd \(test.graphRoot)/overlay; find . -path '*/diff*' -printf '%p %y %m %U:%G %s\\n' | sort")
  }

  @Test(.tags(.interop, .slow)) func `Many layers extracted at once are what Podman extracts one by one`() throws {
    let ours = try TestStore("overlay")
    let theirs = try TestStore("overlay")
    let path = ours.scratch.write(ManyLayersTests.archive(layers: 17, name: "many:1"))
    let image = try #require(try ours.load(path).first)
    try shell("\(theirs.podman) load -q -i \(path)")
    #expect(try ours.layers() == theirs.layers())
    #expect(
      try ours.store.images.list().map(\.record.digest) == theirs.store.images.list().map(\.record.digest))
    let root = try ours.store.mountImage(image.id.rawValue)
    #expect(try contents("\(root)/shared") == Array("layer 16".utf8))
    #expect(try shell("ls \(root) | wc -l") == "18\n")
    try ours.store.unmountImage(image.id.rawValue)
    #expect(try tree(ours) == tree(theirs))
  }

  @Test(.tags(.interop)) func `Layers above one that is there already take its root as Podman's do`() throws {
    let ours = try TestStore("overlay")
    let theirs = try TestStore("overlay")
    let first = ours.scratch.write(ManyLayersTests.archive(layers: 6, name: "many:1", variant: 1, from: 2), "1.tar")
    let second = ours.scratch.write(ManyLayersTests.archive(layers: 6, name: "many:2", variant: 2, from: 2), "2.tar")
    for test in [ours, theirs] {
      try shell("\(test.podman) load -q -i \(first)")
      let base = try #require(try test.store.layers.list().first { $0.record.parent == nil })
      try shell(
        "chmod 751 \(test.graphRoot)/overlay/\(base.id)/diff; chown 3:4 \(test.graphRoot)/overlay/\(base.id)/diff")
      let child = try #require(try test.store.layers.list().first { $0.record.parent == base.id })
      try shell("chmod 711 \(test.graphRoot)/overlay/\(child.id)/diff")
    }
    try ours.load(second)
    try shell("\(theirs.podman) load -q -i \(second)")
    #expect(try ours.layers() == theirs.layers())
    #expect(try tree(ours) == tree(theirs))
  }

  @Test(.tags(.slow), arguments: [0, 1, 7, 15])
  func `A broken layer among many leaves nothing behind`(broken: Int) throws {
    let test = try TestStore("overlay")
    var bytes = ManyLayersTests.archive(layers: 16, name: "many:1")
    // A byte of the file's content: the tar is sound, the diffID is not.
    let name = Array("file-\(broken)\0".utf8)
    let header = try #require(bytes.indices.first { bytes[$0...].starts(with: name) })
    bytes[header + 600] ^= 1
    let error = #expect(throws: StorageError.self) { try test.load(test.scratch.write(bytes)) }
    #expect(error?.message.contains("layer \(broken) (blob sha256:") == true)
    #expect(try test.isEmpty())
    let leftovers = try shell(
      "ls \(test.graphRoot)/overlay/tempdirs \(test.graphRoot)/overlay-layers/tmp 2>/dev/null | grep -v : || true")
    #expect(leftovers.split(separator: "\n").isEmpty, "\(leftovers)")
  }

  /// Seconds of processor time that loading an image with so many names takes.
  private func seconds(names count: Int) throws -> Double {
    let test = try TestStore("vfs")
    let names = (0..<count).map { "example.com/image-\($0):t" }.joined(separator: "\",\"")
    let path = test.scratch.write(ManyLayersTests.archive(layers: 0, name: names))
    let start = clock()
    #expect(try test.load(path).first?.names.count == count)
    return Double(clock() - start) / Double(CLOCKS_PER_SEC)
  }

  @Test func `An image with four times as many names is loaded in some four times the time`() throws {
    let (few, many) = (try seconds(names: 2000), try seconds(names: 8000))
    #expect(many < 10 * few, "\(few) s, \(many) s")
  }
}
