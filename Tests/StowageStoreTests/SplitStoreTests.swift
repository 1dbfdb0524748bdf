// SPDX-License-Identifier: Apache-2.0

import Stowage
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// What is required of a store with a separate image store (store-semantics 25.2), on one file system and on two.
@Suite("Split stores") struct SplitStoreTests {
  /// Where the image store is.
  enum Place: String, Sendable, CaseIterable {
    case sameFileSystem
    case tmpfs
  }

  struct Case: Sendable, CustomStringConvertible {
    let driver: String
    let place: Place
    var description: String { "\(driver), \(place)" }
    static let all = testDrivers.flatMap { driver in
      (isRoot ? Place.allCases : [.sameFileSystem]).map { Case(driver: driver, place: $0) }
    }
  }

  /// A graph root `g`, another one `h`, and an image store `i`.
  final class Split {
    let test: TestStore
    private let isMounted: Bool
    var image: FilePath { test.place.appending("i") }
    var driver: String { test.driver }

    init(_ one: Case) throws {
      test = try TestStore(one.driver)
      isMounted = one.place == .tmpfs
      let image = test.place.appending("i")
      if isMounted {
        try Syscall.mkdir(image, mode: 0o700)
        try #require(try shell("mount -t tmpfs -o size=32m stowage \(image)").isSuccess)
      }
    }

    deinit {
      // First what the driver keeps mounted, then the file system below it.
      for path in MountTable.mounts(below: test.place.path).reversed() { try? Syscall.umount(path, flags: .detach) }
    }

    func root(_ name: String) -> FilePath { test.place.appending(name) }

    func open(_ name: String = "g", split: Bool = true) throws -> Store {
      try test.open { options in
        options.graphRoot = root(name).string
        options.runRoot = root("run-\(name)").string
        options.imageStore = split ? image.string : ""
      }
    }

    /// Reads a file of a container or layer that is mounted for that.
    func read(_ file: String, in name: String, _ store: Store) throws -> String {
      try store.withMounted(name) { try FilePath($0).appending(file).readText() }
    }

    func diffDigest(of layer: String, _ store: Store) throws -> String {
      let out = test.place.appending("out")
      do {
        let file = try Syscall.open(out, [.writeOnly, .create, .truncate], mode: 0o600)
        try store.layers.diff(of: layer, compression: Compression.none, to: .descriptor(file.rawValue))
      }
      return "sha256:" + (try shell("sha256sum < \(out)").outputText.prefix(64))
    }
  }

  @Test
  func `What is built on the graph root's layers stays there: other users of the image store could not see them`()
    throws
  {
    let split = try Split(Case(driver: "vfs", place: .sameFileSystem))
    defer { withExtendedLifetime(split) {} }
    _ = try split.open(split: false).layers.create(LayerCreation(id: "old"))
    let store = try split.open()
    _ = try store.layers.create(LayerCreation(id: "child", parent: "old", isWritable: false))
    _ = try store.images.create(ImageCreation(id: "image", names: ["web"], layer: "child"))
    _ = try store.layers.create(LayerCreation(id: "shared", isWritable: false))
    _ = try store.images.create(ImageCreation(id: "other", names: ["db"], layer: "shared"))
    let elsewhere = try split.open("h")
    #expect(try elsewhere.layers.list().map(\.id.rawValue) == ["shared"])
    #expect(try elsewhere.images.list().map(\.record.id.rawValue) == ["other"])
    #expect(try Set(store.images.list().map(\.record.id.rawValue)) == ["image", "other"])
    // An identifier or name of the image store is taken all the same.
    #expect(code { _ = try store.images.create(ImageCreation(id: "other", layer: "child")) } == .duplicateID)
    #expect(code { _ = try store.images.create(ImageCreation(names: ["db"], layer: "child")) } == .duplicateName)
    try store.images.delete("web")
    #expect(try store.layers.list().map(\.id.rawValue) == ["shared"])
  }

  @Test(.tags(.driver), arguments: Case.all)
  func `Layers and images of the graph root stay fully usable while an image store is set`(one: Case) throws {
    let split = try Split(one)
    defer { withExtendedLifetime(split) {} }
    let plain = try split.open(split: false)
    _ = try plain.layers.put(LayerCreation(id: "old"), diff: .file(try split.test.tar(["f": "old"]).string))
    _ = try plain.images.create(ImageCreation(id: "image", names: ["web", "alias"], layer: "old"))
    let store = try split.open()
    _ = try store.layers.put(
      LayerCreation(id: "new", parent: "old"), diff: .file(try split.test.tar(["g": "new"]).string))
    let container = try store.containers.create(ContainerCreation(names: ["c"], image: "web")).id.rawValue
    #expect(try split.read("f", in: container, store) == "old")
    // Changes go to the record's home.
    try store.setMetadata("m", of: "image")
    try store.images.setBigData("key", bytes: [1, 2], of: "image")
    try store.setNames(["other"], of: "image")
    for view in [store, plain] {
      let record = try view.images.find("other").record
      #expect(record.metadata == "m")
      #expect(record.names == ["other"])
      #expect(try view.images.bigData("key", of: "image") == [1, 2])
    }
    #expect(try store.images.list().count == 1)
    #expect(!Syscall.exists(split.image.appending("\(one.driver)-images/image")))
    try store.containers.delete("c")
    try store.layers.delete("new")
    #expect(try store.images.delete("other").map(\.rawValue) == ["old"])
    #expect(try plain.layers.list().isEmpty && plain.images.list().isEmpty)
  }

  @Test(.tags(.driver, .slow), arguments: Case.all)
  func `A read-only layer is made in the image store, which is an ordinary graph root too`(one: Case) throws {
    let split = try Split(one)
    defer { withExtendedLifetime(split) {} }
    let store = try split.open()
    let tars = [try split.test.tar(["f": "base"]), try split.test.tar(["g": "top"])]
    _ = try store.layers.put(LayerCreation(id: "base"), diff: .file(tars[0].string))
    _ = try store.layers.put(LayerCreation(id: "top", parent: "base"), diff: .file(tars[1].string))
    _ = try store.images.create(ImageCreation(id: "image", names: ["web"], layer: "top"))
    let plain = try test(plain: split)
    let other = try split.open("h")
    for view in [store, plain, other] {
      #expect(try view.layers.list().map(\.id.rawValue) == ["base", "top"])
      for (id, tar) in zip(["base", "top"], tars) {
        #expect(try split.diffDigest(of: id, view) == "sha256:\(try shell("sha256sum < \(tar)").outputText.prefix(64))")
      }
      let path = FilePath(try view.mountImage("web"))
      #expect(try path.appending("f").readText() == "base")
      #expect(try path.appending("g").readText() == "top")
      try view.unmountImage("web")
    }
    if one.driver == "overlay" {
      for link in try Syscall.directoryNames(split.image.appending("overlay/l")) {
        let path = split.image.appending("overlay/l").appending(
          FilePath(String(decoding: link, as: UTF8.self)).components)
        #expect(try String(decoding: Syscall.readlink(path), as: UTF8.self).hasPrefix("../"))
        #expect((try? Syscall.stat(path)) != nil)
      }
    }
    #expect(try plain.images.delete("web").map(\.rawValue) == ["top", "base"])
    #expect(try store.layers.list().isEmpty)
    #expect(
      try
        (Syscall.exists(split.image.appending("overlay/l"))
        ? Syscall.directoryNames(split.image.appending("overlay/l")) : []).isEmpty)
  }

  private func test(plain split: Split) throws -> Store {
    try split.test.open { options in
      options.graphRoot = split.image.string
      options.runRoot = split.root("run-i").string
    }
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `Every read and write of layers takes both locks, and a write is recorded in both`(driver: String) throws {
    let split = try Split(Case(driver: driver, place: .sameFileSystem))
    defer { withExtendedLifetime(split) {} }
    let locks = [split.root("g"), split.image].map { $0.appending("\(driver)-layers/layers.lock") }
    _ = try split.open().layers.create(LayerCreation(id: "first"))
    let before = try locks.map { try $0.readBytes() }
    _ = try split.open().layers.create(LayerCreation(id: "second", isWritable: true))
    let after = try locks.map { try $0.readBytes() }
    for index in locks.indices { #expect(before[index] != after[index] && after[index].count == 64) }
    #expect(after[0] != after[1])
    for lock in locks {
      let holder = try start([
        "python3", "-c",
        """
        import fcntl, sys, time
        f = open(sys.argv[1], 'r+')
        fcntl.lockf(f, fcntl.LOCK_EX)
        print('held', flush=True)
        time.sleep(60)
        """, lock.string,
      ])
      defer {
        holder.signal(9)
        _ = try? holder.wait()
      }
      #expect(try holder.waitForOutput("held"))
      let store = try split.test.open { options in
        options.graphRoot = split.root("g").string
        options.runRoot = split.root("run-g").string
        options.imageStore = split.image.string
        options.lockTimeout = .milliseconds(100)
      }
      #expect(
        message { _ = try store.layers.list() }?.contains("\(lock) is still locked by process \(holder.pid)") == true)
      #expect(code { _ = try store.layers.create(LayerCreation()) } == .busy)
    }
  }

  @Test(.tags(.driver), arguments: Case.all)
  func `A container shows its image's top layer, and mounting makes no directory elsewhere`(one: Case) throws {
    let split = try Split(one)
    defer { withExtendedLifetime(split) {} }
    let store = try split.open()
    _ = try store.layers.put(LayerCreation(id: "base"), diff: .file(try split.test.tar(["f": "base"]).string))
    _ = try store.layers.put(
      LayerCreation(id: "top", parent: "base"), diff: .file(try split.test.tar(["f": "top", "g": "top"]).string))
    _ = try store.images.create(ImageCreation(id: "image", names: ["web"], layer: "top"))
    let container = try store.containers.create(ContainerCreation(names: ["c"], image: "web"))
    #expect(try split.read("f", in: "c", store) == "top")
    #expect(try split.read("g", in: "c", store) == "top")
    _ = try split.read("f", in: "base", store)
    let home = one.driver == "overlay" ? "overlay" : "vfs/dir"
    let known: Set<String> = ["l", "staging", "tempdirs", ".has-mount-program", "backingFsBlockDev"]
    func layers(_ root: FilePath) throws -> Set<String> {
      Set(try Syscall.directoryNames(root.appending(home)).map { String(decoding: $0, as: UTF8.self) }).subtracting(
        known)
    }
    #expect(try layers(split.root("g")) == [container.layer.rawValue])
    #expect(try layers(split.image) == ["base", "top"])
    // Nothing of ours or of the reference's mistakes (graph-drivers 26.5) beside the known names.
    let names = Set(try Syscall.directoryNames(split.image).map { String(decoding: $0, as: UTF8.self) })
      .subtracting(["space-reserve"])
    #expect(names == ["overlay", "overlay-images", "overlay-layers"] || names == ["vfs", "vfs-images", "vfs-layers"])
  }

  @Test(.tags(.driver), arguments: Case.all)
  func `A writable layer with content goes to the graph root, also from another file system`(one: Case) throws {
    let split = try Split(one)
    defer { withExtendedLifetime(split) {} }
    let store = try split.open()
    let tar = try split.test.tar(["f": "text"])
    _ = try store.layers.put(LayerCreation(id: "base"), diff: .file(tar.string))
    _ = try store.layers.put(LayerCreation(id: "child", parent: "base", isWritable: true), diff: .file(tar.string))
    #expect(try split.test.place.appending("g/\(one.driver)-layers/layers.json").readText().contains("child"))
    #expect(try split.read("f", in: "child", store) == "text")
    try store.layers.apply(.file(try split.test.tar(["g": "more"]).string), to: "child")
    #expect(try split.read("g", in: "child", store) == "more")
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `The same identifier in both stores: both records live, and each store's users see their own`(driver: String)
    throws
  {
    let split = try Split(Case(driver: driver, place: .sameFileSystem))
    defer { withExtendedLifetime(split) {} }
    for (store, text) in [(try split.open(split: false), "g"), (try test(plain: split), "i")] {
      _ = try store.layers.put(LayerCreation(id: "same"), diff: .file(try split.test.tar(["f": text]).string))
      _ = try store.images.create(ImageCreation(id: "image-\(text)", names: ["web-\(text)"], layer: "same"))
      _ = try? store.shutdown(force: true)
    }
    let store = try split.open()
    // A write of either file keeps what it does not see.
    _ = try store.layers.create(LayerCreation(id: "ro"))
    _ = try store.layers.create(LayerCreation(id: "rw", isWritable: true))
    #expect(code { _ = try store.layers.create(LayerCreation(id: "same")) } == .duplicateID)
    for text in ["g", "i"] {
      let path = FilePath(try store.mountImage("web-\(text)"))
      #expect(try path.appending("f").readText() == text)
      try store.unmountImage("web-\(text)")
    }
    try store.layers.delete("rw")
    #expect(
      try test(plain: split).layers.find("same").record.diffDigest
        != split.open(split: false).layers.find("same").record.diffDigest)
    // Deleting in the graph root does not touch the image store's.
    #expect(try store.images.delete("web-g").map(\.rawValue) == ["same"])
    #expect(try store.layers.find("same").id.rawValue == "same")
    let path = FilePath(try store.mountImage("web-i"))
    #expect(try path.appending("f").readText() == "i")
    try store.unmountImage("web-i")
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `A name that moves between the stores stays with its new owner`(driver: String) throws {
    let split = try Split(Case(driver: driver, place: .sameFileSystem))
    defer { withExtendedLifetime(split) {} }
    let plain = try split.open(split: false)
    _ = try plain.layers.create(LayerCreation(id: "old", names: ["a"]))
    _ = try plain.images.create(ImageCreation(id: "in-g", names: ["x"], layer: "old"))
    let store = try split.open()
    _ = try store.layers.create(LayerCreation(id: "ro", names: ["b"]))
    _ = try store.images.create(ImageCreation(id: "in-i", names: ["y"], layer: "ro"))
    try store.addNames(["b"], to: "old")
    try store.addNames(["y"], to: "in-g")
    let again = try split.open()
    #expect(try again.layers.find("b").id.rawValue == "old")
    #expect(try again.layers.find("ro").record.names.isEmpty)
    #expect(try again.images.find("y").id.rawValue == "in-g")
    #expect(try again.images.find("in-i").record.names.isEmpty)
    try again.addNames(["x"], to: "in-i")
    #expect(try split.open().images.find("x").id.rawValue == "in-i")
    #expect(try plain.images.find("in-g").record.names == ["y"])
  }
}
