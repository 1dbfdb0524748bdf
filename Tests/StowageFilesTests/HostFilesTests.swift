// SPDX-License-Identifier: Apache-2.0
import StowageFiles
import StowageModel
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

@Suite("Single files") struct HostFilesTests {
  @Test func `What cannot be looked at is not absent`() throws {
    try withTemporaryDirectory { root in
      try Syscall.symlink(target: "loop", at: root.appending("loop"))
      try root.appending("file").write("")
      #expect(try !HostFiles.exists(root.appending("nothing")))
      #expect(try !HostFiles.exists(root.appending("file/below")))
      #expect(try HostFiles.exists(root.appending("loop"), followingLinks: false))
      #expect(throws: StorageError.self) { try HostFiles.exists(root.appending("loop")) }
      #expect(throws: StorageError.self) { try HostFiles.isDirectory(root.appending("loop/d")) }
      #expect(throws: StorageError.self) {
        try HostFiles.exists(root.appending(String(repeating: "x", count: 300)))
      }
    }
  }

  /// Opening a FIFO would wait for ever, opening a device may do something, and a link leads to a file of somebody else.
  @Test(arguments: ["FIFO", "symbolic link", "directory", "socket"])
  func `What is no regular file is refused by its kind, at once`(kind: String) throws {
    try withTemporaryDirectory { root in
      try root.appending("other").write("secret")
      let place = root.appending("place")
      switch kind {
      case "FIFO": try Syscall.mknod(place, mode: 0o010600, device: 0)
      case "socket": try Syscall.mknod(place, mode: 0o140600, device: 0)
      case "directory": try Syscall.mkdir(place, mode: 0o700)
      default: try Syscall.symlink(target: "other", at: place)
      }
      let text = "open \(place): a \(kind) is in the place of the file: remove it, or put the file back"
      for attempt in [
        { _ = try StoreFile.open(place) }, { _ = try StoreFile.open(place, [.readWrite, .create], mode: 0o600) },
        { _ = try StoreFile.read(place) }, { try LockFile.open(place).withRead { _ in } },
      ] as [() throws -> Void] {
        let error = #expect(throws: StorageError.self) { try attempt() }
        #expect(error?.message == text)
        #expect(error?.code == .corrupt)
      }
      #expect(throws: StorageError.self) { try HostFiles.read(place) }
      #expect(try root.appending("other").readText() == "secret")
    }
  }

  @Test func `Files are read whole, and missing ones are told as such`() throws {
    try withTemporaryDirectory { root in
      try root.appending("f").write("text")
      #expect(try StoreFile.read(root.appending("f")) == Array("text".utf8))
      #expect(
        #expect(throws: StorageError.self) { try StoreFile.read(root.appending("x")) }?.errno == .noSuchFileOrDirectory)
      #expect(
        #expect(throws: StorageError.self) { try StoreFile.read(root.appending("f"), limit: 3) }?.errno == .fileTooLarge
      )
      #expect(try HostFiles.read(root.appending("x")) == nil)
      try Syscall.symlink(target: "/etc", at: root.appending("l"))
      #expect(throws: StorageError.self) { try HostFiles.refuseLink(root.appending("l")) }
      try HostFiles.refuseLink(root.appending("x"))
    }
  }
}
