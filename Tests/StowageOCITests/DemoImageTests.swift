// SPDX-License-Identifier: Apache-2.0

import Glibc
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

@testable import StowageOCI

@Suite("The demo image", .enabled(if: access("/bin/busybox", X_OK) == 0, "the image is made of busybox"))
struct DemoImageTests {
  private static let isRoot = getuid() == 0

  @Test(.tags(.slow)) func `The demo image is the same each time`() throws {
    let scratch = Scratch()
    let id = try shell("\(repository)/scripts/make-demo-image \(scratch.path)/a")
    #expect(try shell("\(repository)/scripts/make-demo-image \(scratch.path)/b") == id)
    try shell("diff -r \(scratch.path)/a \(scratch.path)/b")
    for name in ["docker", "oci"] {
      let plan = try #require(try plans("\(scratch.path)/a/demo-\(name)-archive.tar").first)
      #expect(plan.configDigest.hex + "\n" == id)
      #expect(plan.names == ["localhost/stowage-demo:latest"])
      #expect(plan.layers.count == 2)
    }
  }

  @Test(
    .tags(.root, .interop, .slow), .enabled(if: isRoot, "layers have owners and the overlay driver mounts"),
    arguments: ["docker", "oci"])
  func `The loaded demo image has what its second layer made of the first`(format: String) throws {
    let test = try TestStore("overlay")
    try shell("\(repository)/scripts/make-demo-image \(test.scratch.path)/demo")
    let image = try #require(try test.load("\(test.scratch.path)/demo/demo-\(format)-archive.tar").first)
    let root = try test.store.mountImage(image.id.rawValue)
    #expect(try contents("\(root)/etc/motd") == Array("second layer\n".utf8))
    #expect(try contents("\(root)/srv/hello.txt") == Array("hello from the second layer\n".utf8))
    #expect(!Syscall.exists(FilePath("\(root)/etc/obsolete")))
    #expect(try Syscall.lstat(FilePath("\(root)/tmp")).permissions == 0o1777)
    #expect(try shell("chroot \(root) /bin/sh -c 'cat /etc/motd'") == "second layer\n")
    try test.store.unmountImage(image.id.rawValue)
    #expect(
      try shell("\(test.podman) image inspect --format '{{.Id}} {{len .RootFS.Layers}}' localhost/stowage-demo")
        == "\(image.id) 2\n")
  }
}
