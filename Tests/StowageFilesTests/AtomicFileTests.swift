// SPDX-License-Identifier: Apache-2.0
import StowageFiles
import StowageModel
import StowageSystem
import StowageTestSupport
import Synchronization
import SystemPackage
import Testing

@Suite("Atomic files") struct AtomicFileTests {
  @Test func `Content is replaced with the wanted mode in a directory that is created`() throws {
    try withTemporaryDirectory { directory in
      let file = directory.appending("new/layers.json")
      try AtomicFile.replace(file, contents: Array("[]".utf8), durability: .full)
      let status = try AtomicFile.replace(file, contents: Array("[{}]".utf8), durability: .full)
      #expect(try file.readText() == "[{}]")
      let now = try Syscall.lstat(file)
      #expect(now.permissions == 0o600 && now.inode == status.inode)
      #expect(now.modificationTime == status.modificationTime)
      #expect(try Syscall.lstat(directory.appending("new")).permissions == 0o700)
      #expect(try directory.appending("new").names() == ["layers.json"])
    }
  }

  @Test func `A small file of a driver is replaced by a text, and its directory is not made`() throws {
    try withTemporaryDirectory { directory in
      let file = directory.appending("link")
      try AtomicFile.replace(file, text: "OLD", mode: 0o600)
      try AtomicFile.replace(file, text: "NEW", mode: 0o400)
      #expect(try file.readText() == "NEW")
      #expect(try Syscall.lstat(file).permissions == 0o400)
      #expect(try directory.names() == ["link"])
      let missing = directory.appending("gone/link")
      let error = #expect(throws: StorageError.self) { try AtomicFile.replace(missing, text: "", mode: 0o600) }
      #expect(error?.message == "open \(missing): no such file or directory")
    }
  }

  #if STOWAGE_HOOKS
    @Test func `A small file of a driver has its content on disk before its name, and is known while it is being made`()
      throws
    {
      try withTemporaryDirectory { directory in
        let steps = Mutex<[String]>([])
        let file = directory.appending("link")
        try SystemHook.$observer.withValue({ step in
          steps.withLock { $0.append(step.name) }
          return nil
        }) {
          try AtomicFile.replace(file, text: "NAME", mode: 0o644)
        }
        #expect(steps.withLock { $0 } == ["open", "write", "fdatasync", "rename"])
        let names = Mutex<[String]>([])
        SystemHook.$observer.withValue({ step in
          guard step.name == "rename" else { return nil }
          names.withLock { $0 = (try? directory.names()) ?? [] }
          return .noSpace
        }) {
          let error = #expect(throws: StorageError.self) { try AtomicFile.replace(file, text: "OTHER", mode: 0o644) }
          #expect(error?.message == "open \(file): no space left on device")
        }
        #expect(names.withLock { $0.contains { $0.hasPrefix("link.tmp-") } })
        #expect(try directory.names() == ["link"])
      }
    }

    @Test func `The steps come in the order that survives a crash`() throws {
      try withTemporaryDirectory { directory in
        let steps = Mutex<[String]>([])
        try SystemHook.$observer.withValue({ step in
          steps.withLock { $0.append(step.name) }
          return nil
        }) {
          try AtomicFile.replace(directory.appending("f"), contents: [1], durability: .full)
          steps.withLock { $0.append("|") }
          try AtomicFile.replace(directory.appending("f"), contents: [1], durability: .none)
        }
        #expect(
          steps.withLock { $0 } == [
            "open", "write", "fchmod", "fdatasync", "rename", "fsync", "|", "open", "write", "fchmod", "rename",
          ])
      }
    }

    @Test func `A temporary file is made where its leavings are looked for`() throws {
      try withTemporaryDirectory { directory in
        let seen = Mutex<[String]>([])
        try SystemHook.$observer.withValue({ step in
          if step.name == "rename" { seen.withLock { $0 = (try? directory.names()) ?? [] } }
          return nil
        }) {
          try AtomicFile.replace(directory.appending("id/item"), contents: [1], durability: .full, stagedIn: directory)
        }
        #expect(seen.withLock { $0.filter { $0.hasPrefix(".tmp-item") } }.count == 1)
        #expect(try directory.names() == ["id"] && directory.appending("id").names() == ["item"])
      }
    }

    @Test(arguments: ["open", "write", "fdatasync", "fchmod", "rename"])
    func `A failing step leaves the old content and no temporary file`(name: String) throws {
      try withTemporaryDirectory { directory in
        let file = directory.appending("f")
        try AtomicFile.replace(file, contents: Array("old".utf8), durability: .none)
        SystemHook.$observer.withValue({ $0.name == name ? .noSpace : nil }) {
          #expect(throws: StorageError.self) {
            try AtomicFile.replace(file, contents: Array("new".utf8), durability: .full)
          }
        }
        #expect(try file.readText() == "old")
        #expect(try directory.names() == ["f"])
      }
    }
  #endif

  @Test func `Directories are created like mkdir -p does, and a file in the way is an error`() throws {
    try withTemporaryDirectory { directory in
      #expect(try makeDirectories(directory.appending("a/b/c"), mode: 0o700))
      #expect(try !makeDirectories(directory.appending("a/b/c"), mode: 0o755))
      #expect(try Syscall.lstat(directory.appending("a/b")).permissions == 0o700)
      try directory.appending("f").write("")
      let error = #expect(throws: StorageError.self) { try makeDirectories(directory.appending("f"), mode: 0o700) }
      #expect(error?.message == "mkdir \(directory.string)/f: not a directory")
    }
  }
}
