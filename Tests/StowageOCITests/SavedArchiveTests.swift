// SPDX-License-Identifier: Apache-2.0

import Glibc
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

@testable import StowageOCI

/// Images that Debian's tools saved in every way they can. Expected values: the image ID that Podman shows.
@Suite(
  "Archives saved by other programs", .tags(.root, .interop),
  .enabled(if: getuid() == 0 && access("/bin/busybox", X_OK) == 0, "Podman's store needs root; busybox"), .serialized)
struct SavedArchiveTests {
  /// Podman, Buildah and Skopeo on one temporary vfs store that holds the demo image and a second one on top of it.
  final class Tools {
    let scratch = Scratch()
    var podman: String { "podman --root \(path)/PG --runroot \(path)/PR --storage-driver vfs" }
    var buildah: String { "buildah --root \(path)/PG --runroot \(path)/PR --storage-driver vfs" }
    var reference: String { "containers-storage:[vfs@\(path)/PG+\(path)/PR]" }
    var path: String { scratch.path }
    let demoID: String

    init() throws {
      demoID = String(try shell("\(repository)/scripts/make-demo-image \(scratch.path)/demo").dropLast())
      try shell("\(podman) load -q -i \(scratch.path)/demo/demo-oci-archive.tar")
    }
  }

  @Test(.tags(.slow), arguments: ["docker-archive", "oci-archive", "oci-dir", "docker-dir"])
  func `What Podman saves is loaded`(format: String) throws {
    let tools = try Tools()
    try shell("\(tools.podman) save -q --format \(format) -o \(tools.path)/saved localhost/stowage-demo:latest")
    let test = try TestStore("vfs")
    let loaded = try test.load("\(tools.path)/saved")
    #expect(loaded.map(\.id.rawValue) == [tools.demoID])
    #expect(loaded.map(\.names) == [format.hasSuffix("-dir") ? [] : ["localhost/stowage-demo:latest"]])
    #expect(
      try shell(
        "\(test.podman) image inspect --format '{{len .RootFS.Layers}} {{.Size}}' \(tools.demoID) | cut -d' ' -f1")
        == "2\n")
  }

  @Test(.tags(.slow)) func `Several images and tags in one archive are loaded`() throws {
    let tools = try Tools()
    try shell(
      """
      container=$(\(tools.buildah) from localhost/stowage-demo:latest)
      \(tools.buildah) config --env A=b $container
      \(tools.buildah) commit -q $container localhost/second:1 > /dev/null
      \(tools.podman) tag localhost/second:1 localhost/second:2
      \(tools.podman) save -q -m -o \(tools.path)/saved localhost/stowage-demo:latest localhost/second:1 localhost/second:2
      """)
    let expected = try shell(
      "\(tools.podman) images --noheading --no-trunc --format '{{.ID}} {{.Repository}}:{{.Tag}}' | sort")
    let test = try TestStore("vfs")
    #expect(try test.load("\(tools.path)/saved").count == 2)
    #expect(
      try shell("\(test.podman) images --noheading --no-trunc --format '{{.ID}} {{.Repository}}:{{.Tag}}' | sort")
        == expected)
  }

  @Test(.tags(.slow), arguments: ["gzip", "zstd"])
  func `What Skopeo copies with any compression is loaded`(compression: String) throws {
    let tools = try Tools()
    let format = compression
    try shell(
      """
      skopeo --insecure-policy copy -q --dest-compress --dest-compress-format \(format) \
        oci-archive:\(tools.path)/demo/demo-oci-archive.tar oci:\(tools.path)/layout:tag
      """)
    let test = try TestStore("vfs")
    let loaded = try test.load("\(tools.path)/layout")
    #expect(loaded.map(\.id.rawValue) == [tools.demoID])
    let layers = try test.store.layers.list()
    #expect(layers.map(\.record.compression) == [format == "zstd" ? .zstd : .gzip, format == "zstd" ? .zstd : .gzip])
  }

  @Test func `What Buildah pushes is loaded`() throws {
    let tools = try Tools()
    for target in [
      "docker-archive:\(tools.path)/b.tar:localhost/pushed:1", "oci-archive:\(tools.path)/o.tar:localhost/pushed:1",
    ] {
      try shell("\(tools.buildah) push -q localhost/stowage-demo:latest \(target)")
    }
    let test = try TestStore("vfs")
    for name in ["b.tar", "o.tar"] {
      let loaded = try test.load("\(tools.path)/\(name)")
      #expect(loaded.map(\.id.rawValue) == [tools.demoID])
      // Buildah puts the image's other names into a docker-archive, too.
      #expect(loaded.first?.names.first == "localhost/pushed:1")
    }
  }
}
