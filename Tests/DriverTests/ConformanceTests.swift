// SPDX-License-Identifier: Apache-2.0

import StowageCompression
import StowageDiff
import StowageDriverAPI
import StowageFiles
import StowageModel
import StowageMounts
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// What every driver must do, whatever it is made of.
@Suite("What every driver must do", .tags(.root), .serialized, .enabled(if: isRoot, "makes mounts and devices"))
struct ConformanceTests {
  /// All drivers, a line each, as far as they work here.
  static let drivers = [
    "overlay",
    "vfs",
    "btrfs",
    "plain",
  ].filter { $0 != "btrfs" || canMountBtrfs }
  static let driversWithAdditionalStores = ["overlay", "vfs"]

  @Test(.tags(.driver), arguments: drivers)
  func `A layer exists after its creation and not after its removal`(_ name: String) throws {
    try withDriver(name) { bench in
      let base = try bench.create("base")
      #expect(try bench.driver.exists(base))
      #expect(try bench.driver.listLayers(in: bench.graphRoot) == ["base"])
      try bench.remove(base)
      #expect(try !bench.driver.exists(base))
      #expect(try bench.driver.listLayers(in: bench.graphRoot) == [])
      try bench.remove(base)
      for root in bench.driver.traits.temporaryRoots where root.exists { #expect(try root.names() == []) }
    }
  }

  @Test(.tags(.driver, .slow), arguments: drivers, [1, 2, 16, 128, 500])
  func `A stack presents the files of all its layers`(_ name: String, _ depth: Int) throws {
    // The kernel's limit is one of overlay: other drivers copy the whole tree for each layer, whatever the depth.
    if name != "overlay", depth > 16 { return }
    try withDriver(name) { bench in
      var chain: [LayerLocation] = []
      for index in 1...depth {
        let layer = try bench.create(identifier(index), over: chain)
        let root = try bench.driver.applyTarget(for: layer, over: chain, idMaps: IDMaps()).root
        try root.appending("f\(index)").write("\(index)")
        chain.insert(layer, at: 0)
      }
      let top = try bench.create("container", over: chain, readWrite: true)
      try bench.mounted(top, over: chain) { (tree: FilePath) throws in
        #expect(try tree.names().count == depth)
        #expect(try tree.appending("f1").readText() == "1")
        #expect(try tree.appending("f\(depth)").readText() == "\(depth)")
        try tree.appending("new").write("x")
      }
      // A read-only mount has the layer itself as one more lower directory, and the kernel takes no more than 500.
      if name == "overlay", depth == 500 { return }
      try bench.mounted(top, over: chain, MountOptions(options: ["ro"])) { (tree: FilePath) throws in
        #expect(try tree.names().count == depth + 1)
      }
    }
  }

  private func identifier(_ index: Int) -> String {
    let number = String(index)
    return String(repeating: "a", count: 64 - number.utf8.count) + number
  }

  @Test(.tags(.driver), arguments: drivers)
  func `Whiteouts and opaque directories hide what is below`(_ name: String) throws {
    try withDriver(name) { bench in
      let base = try bench.create("base")
      try bench.apply(archive("mkdir d1 d2; echo x >d1/x; echo y >d1/y; echo z >d2/z; echo a >a"), to: base, over: [])
      let child = try bench.create("child", over: [base])
      try bench.apply(
        archive("mkdir d1 d2; touch d1/.wh.x d2/.wh..wh..opq .wh.a; echo n >d2/n"), to: child, over: [base])
      try bench.mounted(child, over: [base], MountOptions(options: ["ro"])) { (tree: FilePath) throws in
        #expect(try listing(tree) == ["d1", "d1/y", "d2", "d2/n"])
      }
      try bench.mounted(base, over: [], MountOptions(options: ["ro"])) { (tree: FilePath) throws in
        #expect(try listing(tree) == ["a", "d1", "d1/x", "d1/y", "d2", "d2/z"])
      }
    }
  }

  @Test(.tags(.driver), arguments: drivers)
  func `Links, attributes, devices and holes survive below another layer`(_ name: String) throws {
    try withDriver(name) { bench in
      let base = try bench.create("base")
      try bench.apply(
        archive(
          """
          echo text >file; ln file link; ln -s file symlink; mkfifo pipe
          mknod device c 1 3; chmod 640 device; chown 7:8 file; chmod 4755 file
          truncate -s 10M hole; echo end >>hole; mkdir sticky; chmod 1777 sticky
          setfattr -n user.key -v value file
          """), to: base, over: [])
      let child = try bench.create("child", over: [base])
      let other = try bench.create("other", over: [child, base], readWrite: true)
      try bench.mounted(other, over: [child, base]) { (tree: FilePath) throws in
        let file = try Syscall.lstat(tree.appending("file"))
        let link = try Syscall.lstat(tree.appending("link"))
        #expect(file.isSameFile(as: link))
        #expect(file.linkCount == 2)
        #expect(file.permissions == 0o4755)
        #expect((file.uid, file.gid) == (7, 8))
        #expect(try Syscall.lgetxattr(tree.appending("file"), "user.key") == Array("value".utf8))
        #expect(try Syscall.readlink(tree.appending("symlink")) == Array("file".utf8))
        #expect(try Syscall.lstat(tree.appending("pipe")).kind == .fifo)
        let device = try Syscall.lstat(tree.appending("device"))
        #expect(device.kind == .characterDevice)
        #expect((device.deviceMajor, device.deviceMinor) == (1, 3))
        #expect(try Syscall.lstat(tree.appending("sticky")).permissions == 0o1777)
        let hole = try Syscall.lstat(tree.appending("hole"))
        #expect(hole.size == (10 << 20) + 4)
      }
    }
  }

  @Test(.tags(.driver), arguments: drivers)
  func `A new layer's root takes the parent's mode with all 12 bits, whatever the umask`(_ name: String) throws {
    try withDriver(name) { bench in
      let base = try bench.create("base")
      let root = try bench.driver.applyTarget(for: base, over: [], idMaps: IDMaps()).root
      #expect(try Syscall.stat(root).permissions == 0o555)
      try Syscall.chmod(root, mode: 0o1777)
      let child = try bench.create("child", over: [base])
      let childRoot = try bench.driver.applyTarget(for: child, over: [base], idMaps: IDMaps()).root
      #expect(try Syscall.stat(childRoot).permissions == 0o1777)
    }
  }

  @Test(.tags(.driver), arguments: driversWithAdditionalStores)
  func `A layer over a parent in an additional image store works and leaves that store untouched`(_ name: String) throws
  {
    try withDriver(name) { lower in
      let base = try lower.create("base")
      try lower.apply(archive("echo a >a; mkdir d; echo b >d/b"), to: base, over: [])
      let before = try snapshot(lower.graphRoot.appending(name))
      try withDriver(name, options: ["imagestore=\(lower.graphRoot)"]) { bench in
        #expect(bench.driver.additionalStoreReading?.additionalImageStores == [lower.graphRoot])
        let parent = LayerLocation(id: base.id, role: .additionalImageStore(0), root: lower.graphRoot)
        let child = try bench.create("child", over: [parent], readWrite: true)
        try bench.mounted(child, over: [parent]) { (tree: FilePath) throws in
          #expect(try listing(tree) == ["a", "d", "d/b"])
          try tree.appending("d").appending("b").write("changed")
        }
        try bench.mounted(parent, over: [], MountOptions(options: ["ro"])) { (tree: FilePath) throws in
          #expect(try tree.appending("d").appending("b").readText() == "b\n")
        }
        #expect(message { try bench.driver.create(parent, over: [], LayerCreateOptions()) } != nil)
        #expect(message { try bench.remove(parent) } != nil)
        try bench.remove(child)
      }
      #expect(try snapshot(lower.graphRoot.appending(name)) == before)
    }
  }

  private func snapshot(_ path: FilePath) throws -> String {
    try shell("find . -printf '%p %i %m %U %G %T@ %C@ %s\\n' | sort", directory: path).outputText
  }

  @Test(.tags(.driver), arguments: drivers)
  func `A directory left by a crash is replaced by a new layer`(_ name: String) throws {
    try withDriver(name) { bench in
      let base = try bench.create("base")
      try bench.apply(archive("echo old >old"), to: base, over: [])
      let again = try bench.create("base")
      try bench.mounted(again, over: [], MountOptions(options: ["ro"])) { (tree: FilePath) throws in
        #expect(try listing(tree) == [])
      }
    }
  }

  @Test(.tags(.driver), arguments: drivers)
  func `Stale temporary directories can be recovered`(_ name: String) throws {
    try withDriver(name) { bench in
      for root in bench.driver.traits.temporaryRoots {
        try makeDirectories(root, mode: 0o700)
        try makeDirectories(root.appending("temp-dir-9").appending("1-x").appending("merged"), mode: 0o700)
        try root.appending("lock-8").write("")
        #expect(StagedDirectory.recover(root: root).isEmpty)
        #expect(try root.names() == [])
      }
    }
  }

  @Test(.tags(.driver), arguments: drivers)
  func `Creating over a missing parent fails and leaves nothing`(_ name: String) throws {
    try withDriver(name) { bench in
      let ghost = try bench.location("ghost")
      let layer = try bench.location("layer")
      #expect(throws: StorageError.self) { try bench.driver.create(layer, over: [ghost], LayerCreateOptions()) }
      #expect(try !bench.driver.exists(layer))
      #expect(throws: StorageError.self) {
        try bench.driver.mountPlan(for: ghost, over: [], MountOptions())
      }
    }
  }

  @Test(.tags(.driver), arguments: drivers)
  func `An archive comes back byte for byte, and a produced difference makes an equal layer`(_ name: String) throws {
    try withDriver(name) { bench in
      let base = try bench.create("base")
      try bench.apply(
        archive("mkdir d; echo x >d/x; echo y >d/y; echo a >a; ln a b; mkdir o; echo o >o/o"), to: base, over: [])
      let original = try archive(
        "mkdir d o; touch d/.wh.x o/.wh..wh..opq; echo new >d/new; echo more >a; head -c 300000 /dev/urandom >big; echo n >o/n"
      )
      let child = try bench.create("child", over: [base])
      let target = try bench.driver.applyTarget(for: child, over: [base], idMaps: IDMaps())
      let split = bench.top.appending("split.gz")
      let result = try applyLayer(
        from: BytesSource(original), to: target.root, options: target.options, request: ApplyRequest(tarSplit: split))
      #expect(result.diffSize == Int64(original.count))
      let sink = BytesSink()
      try reassembleLayer(tarSplit: split, roots: try bench.driver.contentRoots(of: child, over: [base]), to: sink)
      #expect(sink.bytes == original)

      let produced = try difference(bench, child, base)
      let copy = try bench.create("copy", over: [base])
      try bench.apply(produced, to: copy, over: [base])
      let readOnly = MountOptions(options: ["ro"])
      var trees: [String] = []
      for layer in [child, copy] {
        try bench.mounted(layer, over: [base], readOnly) { (tree: FilePath) throws in
          trees.append(
            try shell(
              "find . -mindepth 1 -printf '%P %m %U %G %y %T@ %n\\n' | sort; find . -type f | sort | xargs sha256sum",
              directory: tree
            ).outputText)
        }
      }
      #expect(trees[0] == trees[1])
      #expect(trees[0].contains("big ") && !trees[0].contains("d/x "))
    }
  }

  /// The difference of a layer to its parent, by the means the driver names.
  private func difference(_ bench: Workbench, _ layer: LayerLocation, _ parent: LayerLocation) throws -> [UInt8] {
    let sink = BytesSink()
    switch bench.driver.differenceReading?.diffSource(of: layer, over: [parent], from: parent.id) ?? .trees {
    case .overlay(let upper, let lowers, let attributes):
      try writeOverlayDiff(upper: upper, lowers: lowers, attributes: attributes, to: sink)
    case .trees:
      try bench.mounted(parent, over: [], MountOptions(options: ["ro"])) { (old: FilePath) throws in
        try bench.mounted(layer, over: [parent], MountOptions(options: ["ro"])) { (new: FilePath) throws in
          try writeTreeDiff(new: new, old: old, to: sink)
        }
      }
    }
    return sink.bytes
  }
}
