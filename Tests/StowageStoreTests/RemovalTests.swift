// SPDX-License-Identifier: Apache-2.0

import Stowage
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Removing images and containers by name, pruning, and names that move.
@Suite("Removal and names of images") struct RemovalTests {
  /// Images `one` (two names) and `two` on a base layer, `bare` without name, and the container `web` of `one`.
  static func fill(_ test: TestStore) throws -> Store {
    let store = try test.open()
    _ = try store.layers.put(
      LayerCreation(id: "base"), diff: .file(try test.tar(["f": String(repeating: "x", count: 200_000)]).string))
    for (day, name) in ["one", "two", "bare"].enumerated() {
      _ = try store.layers.put(
        LayerCreation(id: "top-\(name)", parent: "base"),
        diff: .file(try test.tar([name: String(repeating: "y", count: 50_000)]).string))
      let names = name == "one" ? ["localhost/one:1", "localhost/also:1"] : name == "two" ? ["localhost/two:1"] : []
      let config = #"{"config":{"Labels":{"kind":"\#(name)","tier":""}}}"#
      _ = try store.images.create(
        ImageCreation(
          id: name, names: names, layer: "top-\(name)", created: Timestamp(seconds: 1_700_000_000 + Int64(day) * 86400),
          bigData: [
            BigDataItem(key: "manifest", bytes: Array(#"{"config":{"digest":"sha256:c"}}"#.utf8)),
            BigDataItem(key: "sha256:c", bytes: Array(config.utf8)),
          ]))
    }
    _ = try store.containers.create(ContainerCreation(id: "c", names: ["web"], image: "one", layerID: "own"))
    return store
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `An image loses the name that is given, and goes with its last one and its layers`(driver: String) throws {
    let test = try TestStore(driver)
    let store = try Self.fill(test)
    let first = try store.planRemoval(of: ["localhost/also:1"])
    #expect(first.refusals.isEmpty && first.bytes == 0 && first.steps.map(\.isDeleted) == [false])
    #expect(try store.remove(first).refusals.isEmpty)
    #expect(try store.images.find("one").record.names == ["localhost/one:1"])
    // With the container that uses it, in any order.
    let both = try store.planRemoval(of: ["localhost/one:1", "web"])
    #expect(both.refusals.isEmpty && both.steps.map(\.subject.id) == ["c", "one"])
    #expect(both.steps.map { $0.layers.map(\.rawValue) } == [["own"], ["top-one"]] && both.bytes > 50_000)
    let before = try store.diskUsage()
    let report = try store.remove(both)
    #expect(report.refusals.isEmpty && report.bytes == both.bytes)
    let after = try store.diskUsage()
    func bytes(_ usage: DiskUsage) -> Int64 {
      usage.parts.reduce(0) { [.images, .containers].contains($1.kind) ? $0 + $1.space.bytes : $0 }
    }
    #expect(bytes(before) - bytes(after) == report.bytes)
    #expect(try store.layers.list().map(\.id.rawValue).sorted() == ["base", "top-bare", "top-two"])
    // The last two together free what they share.
    let rest = try store.planRemoval(of: ["localhost/two:1", "bare"])
    #expect(rest.steps.flatMap { $0.layers.map(\.rawValue) } == ["top-two", "top-bare", "base"])
    #expect(try store.remove(rest).done.count == 2 && store.layers.list().isEmpty)
  }

  @Test func `What is missing, in use or not clear is refused, and nothing is guessed`() throws {
    let test = try TestStore()
    let store = try Self.fill(test)
    func refusal(_ names: String..., force: Bool = false) throws -> RemovalPlan.Refusal? {
      try store.planRemoval(of: names, force: force).refusals.first
    }
    let missing = try refusal("two:1")
    #expect(missing?.isMissing == true && missing?.error.message.contains("did you mean localhost/two:1?") == true)
    #expect(try refusal("nope", "localhost/two:1")?.isMissing == true)
    let used = try refusal("one", force: true)
    #expect(
      used?.isInUse == true && used?.error.message.contains("stowage rm web") == true, "\(String(describing: used))")
    #expect(try refusal("one")?.error.message.contains("has 2 names") == true)
    _ = try store.setNames(["localhost/two:1"], of: "web")
    #expect(try refusal("localhost/two:1")?.error.message.contains("say which by its ID") == true)
    #expect(try store.images.list().count == 3 && store.containers.list().count == 1)
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `A mounted container stays unless that is forced, and who lives in it is named`(driver: String) throws {
    let test = try TestStore(driver)
    let store = try Self.fill(test)
    let path = try store.mount("web")
    let sleeper = try start(["sleep", "60"], directory: FilePath(path))
    defer {
      sleeper.signal(9)
      _ = try? sleeper.wait()
    }
    let refused = try #require(try store.planRemoval(of: ["web"]).refusals.first)
    #expect(refused.isInUse && refused.error.message.contains("is mounted at \(path)"))
    #expect(refused.error.message.contains("(sleep)"), "\(refused.error.message)")
    #expect(code { try store.containers.delete("web") } == .busy)
    let all = try store.unmountAll()
    #expect(all.count == 1 && all.first?.error?.code == .busy && all.first?.container?.id.rawValue == "c")
    sleeper.signal(9)
    _ = try sleeper.wait()
    #expect(try store.unmountAll().map { $0.error == nil } == [true])
    #expect(try store.unmountAll().isEmpty && store.mountCount(of: "web") == 0)
    _ = try store.mount("web")
    let plan = try store.planRemoval(of: ["web"], force: true)
    #expect(try store.remove(plan).refusals.isEmpty && store.containers.list().isEmpty)
  }

  /// Podman 13967: who is in trouble unmounts by hand. A count alone keeps nobody from deleting.
  @Test(.tags(.root), .enabled(if: isRoot, "overlay mounts need root"))
  func `A container whose mount was ended by hand is deleted`() throws {
    let test = try TestStore("overlay")
    let store = try Self.fill(test)
    let path = try store.mount("web")
    #expect(code { try store.containers.delete("web") } == .busy)
    try Syscall.umount(FilePath(path))
    #expect(try store.mountCount(of: "web") == 1)
    try store.containers.delete("web")
    #expect(try store.containers.list().isEmpty)
  }

  @Test func `What got a container or a name after it was planned stays`() throws {
    let test = try TestStore()
    let store = try Self.fill(test)
    let plan = try store.planRemoval(of: ["localhost/two:1", "bare"])
    _ = try store.addNames(["localhost/kept:1"], to: "bare")
    _ = try store.containers.create(ContainerCreation(image: "two"))
    let report = try store.remove(plan)
    #expect(report.done.isEmpty && report.refusals.count == 2 && report.bytes == 0)
    #expect(report.refusals.count(where: { $0.isInUse }) == 2)
    #expect(try store.images.list().count == 3)
  }

  @Test func `Only images without name and container are pruned, more if that is asked for, the oldest first`() throws {
    let test = try TestStore()
    let store = try Self.fill(test)
    func ids(_ change: (inout PruneRequest) -> Void = { _ in }) throws -> [String] {
      var request = PruneRequest()
      request.settledAfter = 0
      change(&request)
      return try store.planPrune(request).steps.map(\.subject.id)
    }
    #expect(try ids() == ["bare"])
    #expect(try ids { $0.all = true } == ["two", "bare"])
    #expect(try ids { ($0.all, $0.until) = (true, Timestamp(seconds: 1_700_000_000 + 100_000)) } == ["two"])
    #expect(try ids { ($0.all, $0.labels) = (true, [.init("kind", value: "bare")]) } == ["bare"])
    #expect(
      try ids { ($0.all, $0.labels) = (true, [.init("tier"), .init("kind", value: "bare", isExcluded: true)]) } == [
        "two"
      ])
    let total = try #require(try store.diskUsage().parts.first { $0.kind == .images }).space.bytes
    #expect(try ids { ($0.all, $0.keptBytes) = (true, total) } == [])
    #expect(try ids { ($0.all, $0.keptBytes) = (true, total - 1) } == ["two"])
    #expect(try ids { ($0.all, $0.keptBytes) = (true, 0) } == ["two", "bare"])
    // What another program may be about to name is not pruned.
    #expect(try store.planPrune(PruneRequest()).steps.isEmpty)
    var request = PruneRequest()
    request.settledAfter = 0
    let plan = try store.planPrune(request)
    #expect(try store.remove(plan).bytes == plan.bytes && plan.bytes > 50_000)
    #expect(try ids().isEmpty && store.images.list().count == 2)
  }

  @Test func `Names are made whole, move with notice, and come off only if they are there`() throws {
    let test = try TestStore()
    let store = try Self.fill(test)
    let (two, bare) = (try store.images.find("two").id, try store.images.find("bare").id)
    #expect(try store.tag(bare, ["new", "quay.io/a/b:2"]).isEmpty)
    #expect(try store.images.find("bare").record.names == ["localhost/new:latest", "quay.io/a/b:2"])
    let moves = try store.tag(bare, ["two:1", "also:1"])
    #expect(moves.map(\.name) == ["localhost/two:1", "localhost/also:1"] && moves.map(\.isLast) == [true, false])
    #expect(moves.map(\.from.rawValue) == ["two", "one"])
    #expect(try store.images.find("two").record.names.isEmpty)
    #expect(code { try store.tag(bare, ["fine", "UPPER"]) } == .invalidReference)
    #expect(code { try store.untag(bare, ["new", "nope"]) } == .invalidNameOperation)
    #expect(try store.images.find("bare").record.names.count == 4)
    try store.untag(bare, ["new", "localhost/two:1"])
    #expect(try store.images.find("bare").record.names == ["localhost/also:1", "quay.io/a/b:2"])
    try store.untagAll(bare)
    #expect(try store.images.find("bare").record.names.isEmpty && store.images.find("two").id == two)
  }
}
