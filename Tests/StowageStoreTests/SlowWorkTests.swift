// SPDX-License-Identifier: Apache-2.0

import Stowage
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import Synchronization
import SystemPackage
import Testing

#if STOWAGE_HOOKS
  /// Bytes of layers move while other processes can have the locks, and what they do meanwhile is noticed.
  @Suite("Slow work without locks") struct SlowWorkTests {
    @Test(.tags(.driver), arguments: testDrivers)
    func `Nobody waits while a layer is copied or extracted`(driver: String) throws {
      let test = try TestStore(driver)
      defer { withExtendedLifetime(test) {} }
      let store = try test.open()
      let tar = try test.tar(["payload": "content"])
      _ = try store.layers.list()
      let probe = try LockProbe(test.graph.appending("\(driver)-layers/layers.lock"))
      try probe.watch("put") { try store.layers.put(LayerCreation(id: "base"), diff: .file(tar.string)) }
      _ = try store.images.create(ImageCreation(id: "image", layer: "base"))
      try probe.watch("put over a parent") {
        try store.layers.put(LayerCreation(id: "top", parent: "base"), diff: .file(tar.string))
      }
      // Overlay layers are no copies: only vfs moves something.
      let copies = driver == "vfs" ? 1 : 0
      try probe.watch("create", atLeast: copies) { try store.layers.create(LayerCreation(id: "empty", parent: "base")) }
      try probe.watch("create a container", atLeast: copies) {
        try store.containers.create(ContainerCreation(id: "container", image: "image"))
      }
      try probe.watch("create without record", atLeast: copies) {
        try store.layers.createInDriverOnly(LayerCreation(id: "bare", parent: "base"))
      }
      if driver == "overlay" {
        _ = try store.layers.create(LayerCreation(id: "filled", parent: "base"))
        try probe.watch("apply onto an empty layer") { try store.layers.apply(.file(tar.string), to: "filled") }
      }
      let container = try store.containers.find("container")
      for id in ["empty", container.layer.rawValue] {
        let tree = FilePath(try store.mount(id))
        #expect(try tree.appending("payload").readText() == "content")
        try store.unmount(id)
      }
    }

    @Test func `A parent that is replaced while it is copied is copied again`() throws {
      for make in [
        { (store: Store) in _ = try store.layers.create(LayerCreation(id: "made", parent: "base")) },
        { (store: Store) in
          _ = try store.containers.create(ContainerCreation(id: "c", image: "image", layerID: "made"))
        },
        { (store: Store) in _ = try store.layers.createInDriverOnly(LayerCreation(id: "made", parent: "base")) },
      ] {
        let test = try TestStore()
        defer { withExtendedLifetime(test) {} }
        let store = try test.storeWithBase()
        let other = try test.open()
        let new = try test.tar(["payload": "new", "more": "1"])
        try atStep("payload") {
          try other.unsafeDelete("base")
          _ = try other.layers.put(LayerCreation(id: "base"), diff: .file(new.string))
        } during: {
          try make(store)
        }
        let tree = test.graph.appending("vfs/dir/made")
        #expect(try tree.appending("payload").readText() == "new")
        #expect(try tree.appending("more").readText() == "1")
        #expect(try test.graph.appending("vfs/tempdirs").names().isEmpty)
      }
    }

    @Test func `A parent that is deleted while it is copied is missed, and nothing is left`() throws {
      let test = try TestStore()
      defer { withExtendedLifetime(test) {} }
      let store = try test.storeWithBase()
      let other = try test.open()
      let failure = code {
        try atStep("payload") {
          try other.unsafeDelete("base")
        } during: {
          _ = try store.layers.create(LayerCreation(id: "made", parent: "base"))
        }
      }
      #expect(failure == .layerUnknown)
      #expect(try store.layers.list().isEmpty)
      #expect(try store.layers.listInDriver().isEmpty)
      #expect(try test.graph.appending("vfs/tempdirs").names().isEmpty)
    }

    @Test func `A diff over a parent that is replaced or changed meanwhile is refused, and nothing is left`() throws {
      for replaces in [true, false] {
        let test = try TestStore()
        defer { withExtendedLifetime(test) {} }
        let store = try test.storeWithBase()
        let other = try test.open()
        let new = try test.tar(["payload": "new"])
        let diff = try test.tar(["b": "2"])
        let failure = code {
          try atStep("payload") {
            if replaces {
              try other.unsafeDelete("base")
              _ = try other.layers.put(LayerCreation(id: "base"), diff: .file(new.string))
            } else {
              try other.layers.apply(.file(new.string), to: "base")
            }
          } during: {
            _ = try store.layers.put(LayerCreation(id: "made", parent: "base"), diff: .file(diff.string))
          }
        }
        #expect(failure == .busy)
        #expect(try store.layers.listInDriver() == ["base"])
        #expect(try test.graph.appending("vfs/tempdirs").names().isEmpty)
        #expect(try test.graph.appending("vfs-layers/tmp").names().isEmpty)
      }
    }
  }

  extension TestStore {
    /// A store with layer `base`, which has the file `payload`, below image `image`.
    fileprivate func storeWithBase() throws -> Store {
      let store = try open()
      _ = try store.layers.put(LayerCreation(id: "base"), diff: .file(try tar(["payload": "old"]).string))
      _ = try store.images.create(ImageCreation(id: "image", layer: "base"))
      return store
    }
  }

  /// Looks at a lock whenever bytes of a layer move.
  private final class LockProbe: Sendable {
    private let lock: SharedDescriptor
    private let looks = Mutex<(free: Int, held: [String])>((0, []))

    init(_ path: FilePath) throws {
      lock = SharedDescriptor(try Syscall.open(path, .readWrite))
    }

    /// Runs an operation and expects that the lock could be had at each look.
    func watch<R>(_ name: String, atLeast least: Int = 1, _ body: () throws -> R) throws {
      looks.withLock { $0 = (0, []) }
      _ = try SystemHook.$observer.withValue({ step in
        if step.path == "payload" { self.look(step.name) }
        return nil
      }) { try body() }
      let (free, held) = looks.withLock { $0 }
      #expect(held.isEmpty, "\(name)")
      #expect(free >= least, "\(name): nothing was seen")
    }

    private func look(_ what: String) {
      let isFree = (try? Syscall.setlk(lock.rawValue, .read)) == true
      if isFree { try? Syscall.unlock(lock.rawValue) }
      looks.withLock { looks in
        if isFree { looks.free += 1 } else { looks.held.append(what) }
      }
    }
  }
#endif
