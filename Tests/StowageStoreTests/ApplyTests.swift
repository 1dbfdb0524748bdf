// SPDX-License-Identifier: Apache-2.0

import Stowage
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Diffs for overlay layers that exist (store-semantics 17.3).
@Suite("Diffs for layers that exist", .tags(.root), .enabled(if: isRoot, "overlay mounts need root"))
struct ApplyTests {
  private let test: TestStore
  private let store: Store
  private let layer: LayerRecord
  private var diff: FilePath { test.graph.appending("overlay/layer/diff") }

  init() throws {
    test = try TestStore("overlay")
    store = try test.open()
    layer = try store.layers.create(LayerCreation(id: "layer", isWritable: true)).record
  }

  private func truncated() throws -> FilePath {
    let whole = try test.tar(["a": "1", "b": String(repeating: "x", count: 100_000)])
    let cut = test.place.appending("cut.tar")
    _ = try shell("head -c 60000 \(whole) >\(cut)")
    return cut
  }

  @Test func `A diff that fails leaves an empty layer as it was`() throws {
    #expect(throws: StorageError.self) { try store.layers.apply(.file(try truncated().string), to: "layer") }
    #expect(try diff.names().isEmpty)
    #expect(try store.layers.find("layer").record == layer)
    #expect(try !test.graph.appending("overlay-layers").names().contains("layer.tar-split.gz"))
    try store.layers.apply(.file(try test.tar(["a": "1"]).string), to: "layer")
    #expect(try diff.names() == ["a"])
  }

  @Test func `An empty layer that gets its content keeps owner, mode and attributes`() throws {
    _ = try shell("chown 5:6 \(diff) && chmod 2751 \(diff) && setfattr -n user.kept -v yes \(diff)")
    try store.layers.apply(.file(try test.tar(["a": "1"]).string), to: "layer")
    let shown = try shell("stat -c '%u %g %a' \(diff); getfattr --only-values --absolute-names -n user.kept \(diff)")
    #expect(shown.outputText == "5 6 2751\nyes")
  }

  @Test func `A diff for a mounted layer is seen in the mount, also through a child`() throws {
    _ = try store.layers.create(LayerCreation(id: "child", parent: "layer", isWritable: true))
    for (id, name) in [("layer", "a"), ("child", "b")] {
      let mounted = FilePath(try store.mount(id))
      try store.layers.apply(.file(try test.tar([name: "1"]).string), to: "layer")
      #expect(try mounted.names().contains(name))
      try store.unmount(id)
    }
  }

  #if STOWAGE_HOOKS
    @Test func `A layer that is written or mounted while a diff is extracted stays as it is`() throws {
      let tar = try test.tar(["payload": "1"])
      let other = try test.open()
      let changes: [@Sendable () throws -> Void] = [
        { [diff] in try diff.appending("somebodys").write("data") },
        { _ = try other.mount("layer") },
      ]
      for change in changes {
        var error: StorageError?
        do {
          try atStep("payload", change) { try store.layers.apply(.file(tar.string), to: "layer") }
        } catch let caught as StorageError { error = caught }
        #expect(error?.code == .busy)
        #expect(try !diff.names().contains("payload"))
        #expect(try store.layers.find("layer").record.diffDigest == nil)
        _ = try shell("rm -f \(diff)/somebodys")
      }
      try other.unmount("layer")
    }
  #endif
}
