// SPDX-License-Identifier: Apache-2.0

import Stowage
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// What stands in a store in the place of a file or directory and is something else: a FIFO, at which the opener would wait for ever, or
/// a link to elsewhere.
@Suite("Other kinds of files in a store") struct ForeignKindTests {
  private func replace(_ path: FilePath, byFIFO isFIFO: Bool) throws {
    if path.exists { try Syscall.unlink(path) }
    if isFIFO {
      try Syscall.mknod(path, mode: 0o010600, device: 0)
    } else {
      try Syscall.symlink(target: "/etc/hostname", at: path)
    }
  }

  @Test(arguments: [true, false])
  func `A registration of another graph root that is no file is refused by its kind, at once`(
    isFIFO: Bool
  ) throws {
    let shared = try DependentsTests.SharedStore("vfs")
    defer { withExtendedLifetime(shared) {} }
    try shared.makeImage()
    _ = try shared.open("b").containers.create(ContainerCreation(id: "container", image: "web"))
    let name = try #require(try shared.registrations().first)
    let file = shared.image.appending("vfs-layers/dependents.d").appending(name)
    try replace(file, byFIFO: isFIFO)
    let kind = isFIFO ? "FIFO" : "symbolic link"
    let told = message { _ = try shared.open("a").images.delete("image", commit: true) }
    #expect(
      told?.contains("open \(file): a \(kind) is in the place of the file") == true, "\(told ?? "")"
    )
    #expect(try shared.open("a").images.find("image").id.rawValue == "image")
  }

  /// Files that a store opens when it is used, each in the place of what is read.
  @Test(
    .tags(.slow),
    arguments: [
      "vfs-layers/layers.json", "vfs-layers/layers.lock", "vfs-layers/base.tar-split.gz", "vfs-images/images.json",
      "vfs-images/images.lock", "vfs-containers/containers.json", "vfs-containers/containers.lock", "storage.lock",
      "../r/vfs-layers/mountpoints.json", "../r/vfs-layers/mountpoints.lock",
    ])
  func `Records, locks and tar-split files that are none are refused by their kind, at once`(name: String) throws {
    let test = try TestStore("vfs")
    let file = test.graph.appending(name).lexicallyNormalized()
    let use = {
      let store = try test.open()
      _ = try store.layers.create(LayerCreation())
      _ = try store.images.list()
      _ = try store.containers.list()
      let null = try Syscall.open("/dev/null", .writeOnly)
      try store.layers.diff(of: "base", to: .descriptor(null.rawValue))
    }
    for kind in ["FIFO", "symbolic link"] + (isRoot ? ["device"] : []) {
      _ = try shell("rm -rf \(test.graph) \(test.run)")
      _ = try test.open().layers.put(
        LayerCreation(id: "base"), diff: .file(try test.tar(["f": "x"]).string))
      let secret = test.place.appending("secret")
      try secret.write("secret")
      if file.exists { try Syscall.unlink(file) }
      switch kind {
      case "FIFO": try Syscall.mknod(file, mode: 0o010600, device: 0)
      case "device": #expect(try shell("mknod \(file) c 1 3").isSuccess)
      default: try Syscall.symlink(target: secret.string, at: file)
      }
      let told = message(use)
      #expect(told?.contains("open \(file): a \(kind) is in the place of the file") == true, "\(told ?? "")")
      #expect(try secret.readText() == "secret")
    }
  }

  @Test func `A graph root whose identifier is no file is believed, without a wait at a FIFO`() throws {
    let shared = try DependentsTests.SharedStore("vfs")
    defer { withExtendedLifetime(shared) {} }
    try shared.makeImage()
    _ = try shared.open("b").containers.create(ContainerCreation(id: "container", image: "web"))
    try replace(shared.root("b").appending("vfs-layers/graph-root-id"), byFIFO: true)
    let told = message { _ = try shared.open("a").images.delete("web") }
    #expect(told?.contains("cannot be read") == true, "\(told ?? "")")
  }

  @Test(.tags(.root), .enabled(if: isRoot, "overlay mounts need root"))
  func `The directory of short names is not followed if it is a link`() throws {
    let test = try TestStore("overlay")
    defer { withExtendedLifetime(test) {} }
    _ = try test.open().layers.create(LayerCreation(id: "base"))
    let links = test.graph.appending("overlay/l")
    try #require(try shell("mv \(links) \(test.place.appending("elsewhere"))").isSuccess)
    try Syscall.symlink(target: test.place.appending("elsewhere").string, at: links)
    let told = message {
      _ = try test.open().layers.create(LayerCreation(id: "child", parent: "base"))
    }
    #expect(
      told?.contains("\(links): a symbolic link is in the place of the directory") == true,
      "\(told ?? "")")
    #expect(try test.place.appending("elsewhere").names().count == 1)
  }

  @Test(.tags(.root), .enabled(if: isRoot, "overlay mounts need root"))
  func `Nothing is mounted where a link in the place of a mount point leads`() throws {
    let test = try TestStore("overlay")
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    _ = try store.layers.create(LayerCreation(id: "base"))
    let (merged, other) = (
      test.graph.appending("overlay/base/merged"), test.place.appending("other")
    )
    try Syscall.rmdir(merged)
    try Syscall.mkdir(other, mode: 0o700)
    try Syscall.symlink(target: other.string, at: merged)
    let told = message { _ = try store.mount("base") }
    #expect(
      told?.contains("\(merged): a symbolic link is in the place of the directory") == true,
      "\(told ?? "")")
    #expect(!MountTable.isMountPoint(other))
  }

  @Test(.tags(.root), .enabled(if: isRoot, "overlay mounts need root"), arguments: [true, false])
  func `The lock of a staging directory that is no file is refused by its kind`(isFIFO: Bool) throws {
    let test = try TestStore("overlay")
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    _ = try store.layers.create(LayerCreation(id: "base"))
    let directory = test.graph.appending("overlay/staging/one")
    try #require(try shell("mkdir -p \(directory)").isSuccess)
    try replace(directory.appending("staging.lock"), byFIFO: isFIFO)
    let told = message { _ = try store.shutdown(force: false) }
    let kind = isFIFO ? "FIFO" : "symbolic link"
    #expect(
      told?.contains("staging.lock: a \(kind) is in the place of the file") == true, "\(told ?? "")"
    )
    #expect(directory.exists)
  }
}
