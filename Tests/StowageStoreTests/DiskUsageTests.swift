// SPDX-License-Identifier: Apache-2.0

import Stowage
import StowageFiles
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// What a store takes on disk, against `du` and against what deletions give back.
@Suite("Space on disk") struct DiskUsageTests {
  struct Case: Sendable, CustomStringConvertible {
    let driver: String
    let isSplit: Bool
    var description: String { driver + (isSplit ? ", split" : "") }
    static let all = availableDrivers.filter { isRoot || $0 == "vfs" }.flatMap { driver in
      (driver == "btrfs" ? [false] : [false, true]).map { Case(driver: driver, isSplit: $0) }
    }
  }

  /// Two images that share a base layer, one of them with a container, another layer, and files that are hard to count.
  struct Bench {
    let test: TestStore
    let isSplit: Bool
    var roots: [FilePath] { [test.graph] + (isSplit ? [test.place.appending("i")] : []) + [test.run] }

    init(_ one: Case) throws {
      test = try TestStore(one.driver)
      isSplit = one.isSplit
      let store = try open()
      _ = try store.layers.put(LayerCreation(id: "base"), diff: .file(try tar("base", kilobytes: 300)))
      for name in ["one", "two"] {
        _ = try store.layers.put(
          LayerCreation(id: "top-\(name)", parent: "base"),
          diff: .file(try tar(name, kilobytes: name == "one" ? 40 : 80)))
        _ = try store.images.create(
          ImageCreation(
            id: name, names: ["localhost/\(name):1"], layer: "top-\(name)",
            bigData: [BigDataItem(key: "manifest", bytes: Array(repeating: 65, count: 5000))]))
      }
      _ = try store.containers.create(ContainerCreation(id: "c", names: ["web"], image: "one", layerID: "own"))
      _ = try store.layers.create(LayerCreation(id: "other", isWritable: true))
    }

    func open() throws -> Store {
      try test.open { if isSplit { $0.imageStore = test.place.appending("i").string } }
    }

    /// A tree with a file of that size, one with two names, one with a hole, a link and directories.
    private func tar(_ name: String, kilobytes: Int) throws -> String {
      let out = test.place.appending("\(name).tar")
      let result = try shell(
        """
        set -e; cd \(test.place.path); mkdir -p t-\(name)/a/b; cd t-\(name)
        head -c \(kilobytes)k /dev/urandom >a/data-\(name); head -c 9000 /dev/urandom >a/b/linked-\(name); ln a/b/linked-\(name) second-\(name)
        truncate -s 4M hole-\(name); echo end >>hole-\(name); ln -s a/b l-\(name); tar --format=posix --sparse -cf \(out) .
        """)
      try #require(result.isSuccess, "\(result)")
      return out.string
    }

    /// The directory with the files of a layer.
    func content(_ layer: String, in root: FilePath) -> FilePath {
      let directory = root.appending(layerHome(of: test.driver)).appending(layer)
      return test.driver == "overlay" ? directory.appending("diff") : directory
    }

    /// What `du` says.
    func du(_ options: String = "") throws -> Int64 {
      let paths = roots.map(\.string).joined(separator: " ")
      let result = try shell("sync -f \(test.place.path); du --block-size=1 \(options) -s \(paths)")
      try #require(result.isSuccess, "\(result)")
      return result.outputText.split(separator: "\n").reduce(0) { $0 + (Int64($1.split(separator: "\t")[0]) ?? 0) }
    }
  }

  @Test(.tags(.driver, .slow), arguments: Case.all)
  func `The total is what du says, with shared layers, several names of a file, holes and leftovers`(one: Case) throws {
    let bench = try Bench(one)
    let own = bench.content("own", in: bench.test.graph)
    let shell = try shell(
      """
      set -e; cd \(own); truncate -s 3M hole; dd if=/dev/zero of=hole bs=4k count=3 seek=200 conv=notrunc status=none
      head -c 20000 /dev/urandom >x; ln x y; mkdir -p '\(bench.test.graph)/\(layerHome(of: one.driver))'
      """)
    try #require(shell.isSuccess, "\(shell)")
    if one.driver != "btrfs" {
      // A name in another layer, and one outside of the store.
      try Syscall.link(own.appending("x"), bench.content("other", in: bench.test.graph).appending("z"))
      // Overlay's home is a mount of its own.
      if one.driver == "vfs" { try Syscall.link(own.appending("y"), bench.test.place.appending("outside")) }
      try CollectTests.leak(CollectTests.identifier(3), bench.test.graph, one.driver)
    }
    let usage = try bench.open().diskUsage()
    #expect(try usage.bytes == bench.du())
    #expect(usage.roots.reduce(0) { $0 + $1.bytes } == usage.bytes)
    if one.driver != "btrfs" {
      #expect(try usage.bytes == bench.du("-x"))
      #expect(usage.leftovers.contains { $0.path.hasSuffix(CollectTests.identifier(3)) && $0.bytes > 0 })
    }
  }

  @Test(.tags(.driver, .slow), arguments: Case.all)
  func `What images and containers have alone and share is told, and deleting frees what was foretold`(one: Case) throws
  {
    let bench = try Bench(one)
    let store = try bench.open()
    _ = try bench.du()
    let usage = try store.diskUsage()
    let (first, second) = (
      try #require(usage.images.first { $0.record.id.rawValue == "one" }),
      try #require(usage.images.first { $0.record.id.rawValue == "two" })
    )
    let base = try #require(usage.layers.first { $0.record.id.rawValue == "base" })
    #expect(base.images.count == 2 && base.space.shared == base.space.bytes && base.space.bytes >= 300_000)
    #expect(first.space.shared == base.space.bytes && second.space.shared == base.space.bytes)
    #expect(first.isInUse && first.containers.map(\.rawValue) == ["c"] && first.space.reclaimable == 0)
    #expect(!second.isInUse && second.space.reclaimable == second.space.unique)
    let parts = Dictionary(uniqueKeysWithValues: usage.parts.map { ($0.kind, $0) })
    let images = try #require(parts[.images])
    #expect((images.count, images.inUse) == (2, 1))
    #expect(images.space.bytes == base.space.bytes + first.space.unique + second.space.unique)
    #expect(images.space.shared == base.space.bytes && images.space.reclaimable == second.space.unique)
    #expect(parts[.containers]?.count == 1 && parts[.containers]?.space.reclaimable == .some(nil))
    #expect(parts[.containers]?.space.bytes == usage.containers.first?.space.bytes)
    let other = try #require(usage.layers.first { $0.record.id.rawValue == "other" })
    #expect(parts[.layers]?.space == other.space && other.space.reclaimable == other.space.bytes)
    #expect(usage.reclaimable == second.space.unique + other.space.bytes && usage.reclaimable <= usage.bytes)
    try store.images.delete("two")
    try store.layers.delete("other")
    let after = try store.diskUsage()
    let rest = Dictionary(uniqueKeysWithValues: after.parts.map { ($0.kind, $0.space.bytes) })
    #expect(rest[.images] == images.space.bytes - second.space.unique && rest[.layers] == 0)
    #expect(after.reclaimable == 0)
  }

  @Test(.tags(.root), .enabled(if: canMountBtrfs, "needs btrfs"))
  func `What snapshots share is not exclusive, as the file system's own tool counts it`() throws {
    let bench = try Bench(Case(driver: "btrfs", isSplit: false))
    _ = try bench.du()
    let usage = try bench.open().diskUsage()
    for id in ["base", "top-one", "own"] {
      let space = try #require(usage.layers.first { $0.record.id.rawValue == id }).space
      // Total, exclusive and what the files of this tree share with each other. What is inside of metadata has no extents.
      let content = bench.content(id, in: bench.test.graph)
      let line = try shell("btrfs filesystem du -s --raw \(content) | tail -n 1").outputText
      let numbers = line.split(separator: " ").compactMap { Int64($0) }
      try #require(numbers.count >= 2, "\(line)")
      #expect(space.bytes - (try #require(space.exclusive)) == numbers[0] - numbers[1], "\(id): \(line)")
    }
    let own = try #require(usage.layers.first { $0.record.id.rawValue == "own" }).space
    #expect(own.bytes > 300_000 && (own.exclusive ?? own.bytes) < 50_000)
    #expect(usage.parts.compactMap(\.space.exclusive).reduce(0, +) < usage.bytes)
  }

  @Test func `Where files share no blocks nothing is told to be exclusive`() throws {
    let bench = try Bench(Case(driver: "vfs", isSplit: false))
    let isShared = try shell("stat -f -c %T \(bench.test.graph)").outputText
    try #require(!["btrfs\n", "xfs\n"].contains(isShared))
    #expect(try bench.open().diskUsage().parts.allSatisfy { $0.space.exclusive == nil })
  }

  @Test(.tags(.root), .enabled(if: isRoot, "mounts"))
  func `A mounted container is told as mounted, and its tree is not counted twice`() throws {
    let bench = try Bench(Case(driver: "overlay", isSplit: false))
    let store = try bench.open()
    let before = try store.diskUsage()
    _ = try store.mount("web")
    defer { _ = try? store.unmount("web", force: true) }
    let usage = try store.diskUsage()
    #expect(usage.containers.map(\.isMounted) == [true] && before.containers.map(\.isMounted) == [false])
    #expect(usage.parts.first { $0.kind == .containers }?.inUse == 1)
    #expect(usage.bytes < before.bytes + 100_000)
  }

  @Test func `A run root and an image store inside of the graph root are counted once`() throws {
    let test = try TestStore("vfs")
    func open() throws -> Store {
      try test.open {
        $0.runRoot = test.graph.appending("run").string
        $0.imageStore = test.graph.appending("images").string
      }
    }
    _ = try open().layers.put(LayerCreation(id: "base"), diff: .file(try test.tar(["f": "content"]).string))
    _ = try open().images.create(ImageCreation(id: "i", layer: "base"))
    _ = try open().containers.create(ContainerCreation(id: "c", image: "i"))
    let usage = try open().diskUsage()
    let du = try shell("du --block-size=1 -s \(test.graph) | cut -f1").outputText
    #expect("\(usage.bytes)\n" == du)
    #expect(usage.images.first.map { $0.space.bytes > 0 } == true && usage.roots.count == 1)
  }
}
