// SPDX-License-Identifier: Apache-2.0

import Stowage
import StowageFiles
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// What other processes, older versions and crashes leave behind.
@Suite("Recovery") struct RecoveryTests {
  @Test(.tags(.driver), arguments: testDrivers)
  func `A layer with the boolean flag incomplete goes with all its data, one with a text stays`(driver: String) throws {
    let test = try TestStore(driver)
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    _ = try store.layers.put(
      LayerCreation(id: "gone", bigData: [BigDataItem(key: "toc", bytes: [1])]),
      diff: .file(try test.tar(["a": "1"]).string))
    _ = try store.layers.create(LayerCreation(id: "stays"))
    let path = test.graph.appending("\(driver)-layers/layers.json")
    var text = try path.readText()
    text.replace("\"gidset\":[0]", with: "\"gidset\":[0],\"flags\":{\"incomplete\":true}", maxReplacements: 1)
    text.removeLast(2)
    try path.write(text + ",\"flags\":{\"incomplete\":\"true\"}}]")
    #expect(try store.layers.list().map(\.id.rawValue) == ["stays"])
    #expect(try store.layers.listInDriver() == ["stays"])
    let names = try test.graph.appending("\(driver)-layers").names()
    #expect(!names.contains("gone"))
    #expect(!names.contains("gone.tar-split.gz"))
    #expect(try path.readText().contains("\"incomplete\":\"true\""))
  }

  @Test func `A layer tied to a container that does not exist goes; with the container it is completed`() throws {
    let test = try TestStore()
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    let container = try store.containers.create(ContainerCreation(id: "c1"))
    _ = try store.layers.create(LayerCreation(id: "orphan"))
    let path = test.graph.appending("vfs-layers/layers.json")
    var text = try path.readText()
    let tie = { (id: String) in
      "\"flags\":{\"incomplete\":true,\"stowage-owner\":{\"id\":\"\(id)\",\"kind\":\"container\"}}"
    }
    text.replace("\"}", with: "\",\(tie("c1"))}", maxReplacements: 1)
    text.removeLast(2)
    try path.write(text + ",\(tie("c2"))}]")
    #expect(try store.layers.list().map(\.id) == [container.layer])
    #expect(try store.layers.find(container.layer.rawValue).record.flags.isEmpty)
    #expect(try store.layers.listInDriver() == [container.layer.rawValue])
  }

  @Test func `A layer whose maker cannot be asked about stays until it can`() throws {
    let test = try TestStore()
    defer { withExtendedLifetime(test) {} }
    _ = try test.open().layers.create(LayerCreation(id: "made"))
    let path = test.graph.appending("vfs-layers/layers.json")
    var text = try path.readText()
    text.removeLast(2)
    try path.write(text + ",\"flags\":{\"stowage-owner\":{\"id\":\"x\",\"kind\":\"image\",\"lock\":\"7\"}}}]")
    // It is there, and cannot be opened.
    let lock = test.graph.appending("vfs-layers/tmp/lock-7")
    try makeDirectories(lock, mode: 0o700)
    #expect(try test.open().layers.list().map(\.id.rawValue) == ["made"])
    try Syscall.rmdir(lock)
    #expect(try test.open().layers.list().isEmpty)
  }

  @Test func `Stale temporary directories are removed, those of the living and unrelated ones stay`() throws {
    let test = try TestStore()
    defer { withExtendedLifetime(test) {} }
    _ = try test.open().layers.list()
    let root = test.graph.appending("vfs-layers/tmp")
    let living = try StagedDirectory.create(in: root)
    try makeDirectories(root.appending("temp-dir-1/x"), mode: 0o700)
    try root.appending("lock-1").write("")
    try makeDirectories(root.appending("temp-dir-2"), mode: 0o700)
    try root.appending("lock-3").write("")
    try makeDirectories(root.appending("unrelated"), mode: 0o700)
    _ = try test.open().layers.list()
    let names = try root.names().filter { $0 != living.path.lastComponent?.string && !$0.hasPrefix("lock-") }
    #expect(names == ["unrelated"])
    #expect(!root.appending("lock-1").exists)
    #expect(!root.appending("lock-3").exists)
    #expect(living.path.exists)
    try living.discard()
  }

  @Test(
    .tags(.root, .driver), .enabled(if: isRoot, "the immutable attribute needs root"),
    arguments: testDrivers)
  func `A temporary directory that cannot be deleted stops nothing`(driver: String) throws {
    let test = try TestStore(driver)
    defer { withExtendedLifetime(test) {} }
    _ = try test.open().layers.create(LayerCreation(id: "one"))
    let home = test.graph.appending(driver == "overlay" ? "overlay/tempdirs" : "vfs/tempdirs")
    let directories = [home, test.graph.appending("\(driver)-layers/tmp")].map { $0.appending("temp-dir-1") }
    let files = directories.map { $0.appending("fixed") }
    for (directory, file) in zip(directories, files) {
      try makeDirectories(directory, mode: 0o700)
      try file.write("")
      #expect(try shell("chattr +i \(file)").isSuccess)
    }
    defer { for file in files { _ = try? shell("chattr -i \(file)") } }
    let store = try test.open()
    _ = try store.layers.create(LayerCreation(id: "two"))
    try store.layers.delete("one")
    #expect(try store.layers.list().map(\.id.rawValue) == ["two"])
    #expect(files.allSatisfy { $0.exists })
  }

  @Test func `Damaged record files are reported with the file's name, and never trap`() throws {
    let test = try TestStore()
    defer { withExtendedLifetime(test) {} }
    _ = try test.open().layers.create(LayerCreation(id: "x"))
    let path = test.graph.appending("vfs-layers/layers.json")
    for text in ["{}", "[null]", "[{\"id\":", "[]x", "[{\"id\":7}]", "[{\"id\":\"a\",\"created\":\"\"}]"] {
      try path.write(text)
      let problem = message { _ = try test.open().layers.list() } ?? "nothing"
      #expect(problem.hasPrefix("loading primary layer store data: loading \"\(path)\": "), "\(text): \(problem)")
      // Images do not need the layers.
      #expect(try test.open().images.list().isEmpty)
    }
    for text in ["", "null", "[]"] {
      try path.write(text)
      #expect(try test.open().layers.list().isEmpty)
    }
    try Syscall.unlink(path)
    try Syscall.symlink(target: "layers.json.old", at: path)
    let problem = message { _ = try test.open().layers.list() } ?? "nothing"
    #expect(problem.contains("symbolic link") && problem.contains("check --repair"), "\(problem)")
  }

  @Test func `A name that two images have stays with the later one, and the file is repaired`() throws {
    let test = try TestStore()
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    _ = try store.images.create(ImageCreation(id: "a", names: ["n", "m"]))
    _ = try store.images.create(ImageCreation(id: "b", names: ["o"]))
    let path = test.graph.appending("vfs-images/images.json")
    var text = try path.readText()
    text.replace("[\"o\"]", with: "[\"n\"]", maxReplacements: 1)
    try path.write(text)
    #expect(try store.images.find("n").id.rawValue == "b")
    #expect(try store.images.find("a").record.names == ["m"])
    #expect(try path.readText().contains("\"names\":[\"m\"]"))
  }

  @Test func `Unknown members, number texts and shadowed records survive a rewrite`() throws {
    let test = try TestStore()
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    _ = try store.layers.create(LayerCreation(id: "a"))
    _ = try store.layers.create(LayerCreation(id: "b"))
    let path = test.graph.appending("vfs-layers/layers.json")
    var text = try path.readText()
    text.removeLast(2)
    let shadow = "{ \"id\":\"a\",\"created\":\"2020-01-01T00:00:00Z\"}"
    try path.write(text + ",\"x-future\":{\"a\":1.0}},\(shadow)]")
    try store.setMetadata("m", of: "b")
    try store.setMetadata("m", of: "a")
    let after = try path.readText()
    #expect(after.contains("\"x-future\":{\"a\":1.0}"))
    #expect(after.contains(shadow))
    #expect(try store.layers.list().count == 2)
  }

  @Test func `The lock file gets a fresh mark of 64 bytes at each write, and keeps a longer tail`() throws {
    let test = try TestStore()
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    _ = try store.layers.create(LayerCreation(id: "a"))
    let lock = test.graph.appending("vfs-layers/layers.lock")
    let before = try lock.readBytes()
    #expect(before.count == 64)
    try lock.write(before + [UInt8](repeating: 7, count: 36))
    try store.setMetadata("m", of: "a")
    let after = try lock.readBytes()
    #expect(after.count == 100)
    #expect(after[..<64] != before[...])
    #expect(after[64...].allSatisfy { $0 == 7 })
  }

  @Test func `What another process writes is seen by a store that is open`() throws {
    let test = try TestStore()
    defer { withExtendedLifetime(test) {} }
    let (one, two) = (try test.open(), try test.open())
    _ = try one.layers.create(LayerCreation(id: "a", names: ["n"]))
    #expect(try two.layers.find("n").id.rawValue == "a")
    try two.setNames(["m"], of: "a")
    #expect(code { _ = try one.layers.find("n") } == .layerUnknown)
    try two.layers.delete("m")
    #expect(try one.layers.list().isEmpty)
  }
}

@Suite("Images that are being made") struct PendingImageTests {
  @Test func `Layers of a load are left alone while it lives, and go when it has ended without an image`() throws {
    let test = try TestStore()
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    do {
      let pending = try store.images.beginLoad(try ImageID(validating: "i"))
      var request = LayerCreation(id: "a")
      request.pending = pending
      _ = try store.layers.create(request)
      #expect(try test.open().layers.list().count == 1)
      withExtendedLifetime(pending) {}
    }
    #expect(try test.open().layers.list().isEmpty)
  }

  @Test(arguments: [true, false])
  func `Layers of a load stay when its image is recorded, whether the load came to its end or not`(finishes: Bool)
    throws
  {
    let test = try TestStore()
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    do {
      let pending = try store.images.beginLoad(try ImageID(validating: "i"))
      var request = LayerCreation(id: "a")
      request.pending = pending
      _ = try store.layers.create(request)
      _ = try store.images.create(ImageCreation(id: "i", layer: "a"))
      if finishes { try pending.finish() }
    }
    #expect(try test.open().layers.find("a").record.flags.isEmpty)
  }
}
