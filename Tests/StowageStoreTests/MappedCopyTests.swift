// SPDX-License-Identifier: Apache-2.0

import Glibc
import Stowage
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import Synchronization
import SystemPackage
import Testing

/// Copies of top layers for other ID maps, made beside other work (store-semantics 11.2).
@Suite("Copies for other ID maps") struct MappedCopyTests {
  private static func maps(_ start: Int) -> IDMapRequest {
    let range = [IDMapping(containerID: 0, hostID: start, size: 65536)]
    return IDMapRequest(maps: IDMaps(uids: range, gids: range))
  }

  /// A store whose driver cannot shift owners, with image `i1` over layer `base`.
  private func makeStore(_ driver: String, _ content: FilePath? = nil) throws -> (TestStore, Store) {
    let test = try TestStore(driver)
    try test.forbidShifting()
    let store = try test.open()
    let tar = try content ?? test.tar(["payload": "old"])
    _ = try store.layers.put(LayerCreation(id: "base"), diff: .file(tar.string))
    _ = try store.images.create(ImageCreation(id: "i1", names: ["img"], layer: "base"))
    return (test, store)
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `An image whose only layer has maps gets one without when it is mounted`(driver: String) throws {
    let test = try TestStore(driver)
    try test.forbidShifting()
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    let tar = try test.tar(["file": "text"])
    _ = try store.layers.put(LayerCreation(id: "base", idMaps: Self.maps(100_000)), diff: .file(tar.string))
    _ = try store.images.create(ImageCreation(id: "i1", layer: "base"))
    #expect(try Syscall.lstat(test.content(of: "base").appending("file")).uid == 100_000)
    let path = FilePath(try store.mountImage("i1"))
    #expect(try Syscall.lstat(path.appending("file")).uid == 0)
    #expect(try path.appending("file").readText() == "text")
    let copy = try #require(try store.images.find("i1").record.mappedLayers.first)
    #expect(try store.layers.find(copy.rawValue).record.idMaps.isEmpty)
    _ = try store.unmountImage("i1")
    // It is there now.
    _ = try store.mountImage("i1")
    #expect(try store.images.find("i1").record.mappedLayers == [copy])
    _ = try store.unmountImage("i1")
  }

  @Test(.tags(.driver), arguments: testDrivers)
  func `Ownerships that the maps cannot express are an error that leaves nothing`(driver: String) throws {
    let (test, store) = try makeStore(driver)
    defer { withExtendedLifetime(test) {} }
    _ = try store.containers.create(ContainerCreation(id: "c1", image: "i1", idMaps: Self.maps(100_000)))
    // The only candidate has maps now, and a file with an owner that they do not have.
    let copy = try #require(try store.images.find("i1").record.mappedLayers.first)
    _ = try store.images.create(ImageCreation(id: "i2", layer: copy.rawValue))
    try Syscall.lchown(test.content(of: copy.rawValue).appending("payload"), uid: 5, gid: 6)
    let text = message {
      _ = try store.containers.create(ContainerCreation(id: "c2", image: "i2", idMaps: Self.maps(200_000)))
    }
    #expect(
      text == "creating an ID-mapped copy of layer \"\(copy)\": error during chown: mapping host ID pair "
        + "idtools.IDPair{UID:5, GID:6} for \"payload\" to container: host ID 5 cannot be mapped to a container ID: "
        + "exit status 1")
    #expect(try store.layers.list().count == 3)
    #expect(try store.layers.listInDriver().count == 3)
    #expect(try test.staged().isEmpty)
  }

  @Test(.tags(.driver, .slow), arguments: testDrivers)
  func `Nobody waits for a lock while a layer of many files gets other owners`(driver: String) throws {
    // The vfs driver makes two copies, one for the image and one for the container.
    let directories = driver == "overlay" ? 20 : 5
    let place = try TemporaryDirectory("many")
    let made = try shell(
      """
      mkdir tree && cd tree && for d in $(seq \(directories)); do mkdir $d && (cd $d && seq 1000 | xargs touch); done && cd .. &&
      tar --numeric-owner -C tree -cf many.tar .
      """, directory: place.path)
    #expect(made.isSuccess, "\(made)")
    let (test, store) = try makeStore(driver, place.appending("many.tar"))
    defer { withExtendedLifetime(test) {} }
    let reader = LockReader(try test.open())
    let clock = ContinuousClock()
    let copying = try reader.during {
      try clock.measure {
        _ = try store.containers.create(ContainerCreation(id: "c1", image: "i1", idMaps: Self.maps(100_000)))
      }
    }
    let copy = try #require(try store.images.find("i1").record.mappedLayers.first)
    for path in ["1/1", "\(directories)/1000"] {
      #expect(try Syscall.lstat(test.content(of: copy.rawValue).appending(path)).uid == 100_000)
    }
    let (longest, count, late) = reader.seen()
    let figures = "\(count) looks in \(copying), the longest \(longest), \(late) of more than 50 ms"
    // One that waited for the copy would take as long as it. A busy machine delays now and then one that waits for nothing.
    #expect(count > 20, "\(figures)")
    #expect(longest < copying / 4, "\(figures)")
    #expect(late * 50 <= count, "\(figures)")
  }

  #if STOWAGE_HOOKS
    @Test(.tags(.driver), arguments: testDrivers)
    func `An image that is deleted while its layer is copied is missed, and nothing is left`(driver: String) throws {
      let (test, store) = try makeStore(driver)
      defer { withExtendedLifetime(test) {} }
      let other = try test.open()
      let failure = code {
        try atStep("payload") {
          _ = try other.images.delete("i1")
        } during: {
          _ = try store.containers.create(ContainerCreation(id: "c1", image: "i1", idMaps: Self.maps(100_000)))
        }
      }
      #expect(failure == .layerUnknown)
      #expect(try store.layers.list().isEmpty)
      #expect(try store.layers.listInDriver().isEmpty)
      #expect(try test.staged().isEmpty)
    }

    @Test(.tags(.driver), arguments: testDrivers)
    func `A layer that changes while it is copied is copied again`(driver: String) throws {
      let (test, store) = try makeStore(driver)
      defer { withExtendedLifetime(test) {} }
      let other = try test.open()
      let new = try test.tar(["payload": "new"])
      try atStep("payload") {
        try other.layers.apply(.file(new.string), to: "base")
      } during: {
        _ = try store.containers.create(ContainerCreation(id: "c1", image: "i1", idMaps: Self.maps(100_000)))
      }
      #expect(try store.withMounted("c1") { try FilePath($0).appending("payload").readText() } == "new")
      #expect(try store.images.find("i1").record.mappedLayers.count == 1)
      #expect(try store.layers.list().count == 3)
      #expect(try test.staged().isEmpty)
    }

    @Test(.tags(.driver), arguments: testDrivers)
    func `A layer is made while one is copied, and the next container shares the copy`(driver: String) throws {
      let (test, store) = try makeStore(driver)
      defer { withExtendedLifetime(test) {} }
      let other = try test.open()
      // Creations of containers with maps exclude each other, those of layers need not wait.
      let archive = try test.tar(["x": "y"])
      try atStep("payload") {
        _ = try other.layers.put(LayerCreation(id: "beside"), diff: .file(archive.string))
      } during: {
        _ = try store.containers.create(ContainerCreation(id: "c1", image: "i1", idMaps: Self.maps(100_000)))
      }
      _ = try other.containers.create(ContainerCreation(id: "c2", image: "i1", idMaps: Self.maps(100_000)))
      #expect(try store.images.find("i1").record.mappedLayers.count == 1)
      #expect(try store.layers.list().count == 5)
    }
  #endif
}

/// Lists images and layers again and again, which takes their locks, and notes how long each call takes.
private final class LockReader: Sendable {
  private let store: Store
  private let isEnded = Atomic(false)
  private let times = Mutex<[Duration]>([])

  init(_ store: Store) { self.store = store }

  /// Runs `body` while a thread of its own looks: one of Swift's might have to wait for other tests.
  func during<R>(_ body: () throws -> R) throws -> R {
    let thread = try PlainThread { self.look() }
    let result = Result { try body() }
    isEnded.store(true, ordering: .relaxed)
    thread.join()
    return try result.get()
  }

  private func look() {
    let clock = ContinuousClock()
    while !isEnded.load(ordering: .relaxed) {
      let start = clock.now
      do {
        _ = try store.images.list()
        _ = try store.layers.list()
      } catch {
        Issue.record(error)
        return
      }
      let duration = clock.now - start
      times.withLock { $0.append(duration) }
      usleep(2000)
    }
  }

  /// The longest call, the number of calls, and how many took longer than 50 milliseconds.
  func seen() -> (longest: Duration, count: Int, late: Int) {
    times.withLock { times in
      (times.max() ?? .zero, times.count, times.count { $0 > .milliseconds(50) })
    }
  }
}
