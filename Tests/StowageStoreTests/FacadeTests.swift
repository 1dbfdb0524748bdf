// SPDX-License-Identifier: Apache-2.0

import Stowage
import StowageModel
import StowageStore
import StowageSystem
import StowageTestSupport
import Synchronization
import SystemPackage
import Testing

@Suite("The asynchronous façade") struct FacadeTests {
  @Test(.timeLimit(.minutes(1)))
  func `Many layers are put at once through the asynchronous form`() async throws {
    let test = try TestStore("vfs")
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    let tar = try test.tar(["a": "1"]).string
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<40 {
        group.addTask { _ = try await store.layers.put(LayerCreation(id: "p\(number)"), diffFile: tar) }
      }
      try await group.waitForAll()
    }
    #expect(try await store.run { try $0.layers.list().count } == 40)
  }

  @Test func `A cancelled put leaves nothing`() async throws {
    let test = try TestStore("vfs")
    defer { withExtendedLifetime(test) {} }
    let store = try test.open()
    let tar = try test.tar(["a": "1"]).string
    let task = Task {
      while !Task.isCancelled { await Task.yield() }
      _ = try await store.layers.put(LayerCreation(id: "x"), diffFile: tar)
    }
    task.cancel()
    await #expect(throws: StorageError.self) { try await task.value }
    #expect(try store.layers.list().isEmpty)
    #expect(try store.layers.listInDriver().isEmpty)
  }
}
