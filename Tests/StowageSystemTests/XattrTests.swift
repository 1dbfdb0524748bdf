// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Expected values: `getfattr` and `setfattr`; expected errors: `xattr(7)` and the pages of the calls.
@Suite("Extended attributes") struct XattrTests {
  private func withFile(_ body: (FilePath, CInt, CInt) throws -> Void) throws {
    try withTemporaryDirectory { directory in
      try directory.appending("f").write("")
      let handle = try Syscall.open(directory, [.path, .directory])
      let file = try Syscall.open(directory.appending("f"), .readWrite)
      try body(directory.appending("f"), handle.rawValue, file.rawValue)
    }
  }

  private func texts(_ names: [[UInt8]]) -> [String] { names.map { String(decoding: $0, as: UTF8.self) }.sorted() }

  @Test(arguments: [0, 1, 255, 256, 257, 1000, 1500])
  func `Values of every length are what setfattr and getfattr say`(_ length: Int) throws {
    try withFile { path, directory, file in
      let value = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 7) }
      let digits = value.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
      #expect(try run("setfattr", "-n", "user.theirs", "-v", "0x\(digits)", path.string).isSuccess)
      #expect(try Syscall.lgetxattr(path, "user.theirs") == value)
      #expect(try Syscall.fgetxattr(file, "user.theirs") == value)
      #expect(try Syscall.getxattrat(directory, "f", "user.theirs") == value)
      try value.withUnsafeBytes { try Syscall.fsetxattr(file, "user.ours", $0) }
      #expect(try run("getfattr", "--only-values", "-n", "user.ours", path.string).output == value)
      try value.withUnsafeBytes { try Syscall.setxattrat(directory, "f", "user.ours", $0) }
      #expect(try run("getfattr", "--only-values", "-n", "user.ours", path.string).output == value)
    }
  }

  @Test(.tags(.root), .enabled(if: isRoot, "trusted attributes need root"))
  func `Long values and long lists of names are read whole`() throws {
    // A memory file system keeps values of up to 64 KiB.
    let file = FilePath("/dev/shm/stowage-xattr-\(UInt64.random(in: .min ... .max))")
    try file.write("")
    defer { try? Syscall.unlink(file) }
    for length in [40_000, 65_536] {
      let value = [UInt8](repeating: 0x41, count: length)
      try Syscall.lsetxattr(file, "trusted.long", value)
      #expect(try Syscall.lgetxattr(file, "trusted.long") == value)
    }
    #expect(throws: Errno(rawValue: 7)) {
      try Syscall.lsetxattr(file, "trusted.long", [UInt8](repeating: 0x41, count: 65_537))
    }
    let names = (0..<200).map { "trusted.a-name-of-some-length-\($0)" }
    for name in names { try Syscall.lsetxattr(file, name, []) }
    #expect(try texts(Syscall.llistxattr(file)) == (names + ["trusted.long"]).sorted())
    let handle = try Syscall.open(file, .readOnly)
    #expect(try texts(Syscall.flistxattr(handle.rawValue)) == (names + ["trusted.long"]).sorted())
  }

  @Test func `A file without attributes has an empty list, and a missing one is nil`() throws {
    try withFile { path, directory, file in
      let names = try Syscall.llistxattr(path)
      #expect(names.isEmpty)
      #expect(try Syscall.flistxattr(file).isEmpty)
      #expect(try Syscall.listxattrat(directory, "f").isEmpty)
      #expect(try Syscall.lgetxattr(path, "user.none") == nil)
      #expect(try Syscall.fgetxattr(file, "user.none") == nil)
      #expect(try Syscall.getxattrat(directory, "f", "user.none") == nil)
    }
  }

  @Test func `Setting can be bound to the attribute being there, or not`() throws {
    try withFile { path, _, file in
      #expect(throws: Errno.noData) { try Syscall.lsetxattr(path, "user.a", [1], mode: .replace) }
      try Syscall.lsetxattr(path, "user.a", [1], mode: .create)
      #expect(throws: Errno.fileExists) { try Syscall.lsetxattr(path, "user.a", [2], mode: .create) }
      #expect(throws: Errno.fileExists) {
        try [UInt8(2)].withUnsafeBytes { try Syscall.fsetxattr(file, "user.a", $0, mode: .create) }
      }
      try Syscall.lsetxattr(path, "user.a", [3], mode: .replace)
      #expect(try Syscall.lgetxattr(path, "user.a") == [3])
    }
  }

  @Test func `A link has no attributes of its target, and may have none of a user`() throws {
    try withFile { path, directory, _ in
      try Syscall.lsetxattr(path, "user.a", [1])
      try Syscall.symlinkat(target: "f", directory, "l")
      #expect(try Syscall.listxattrat(directory, "l").isEmpty)
      #expect(throws: Errno.notPermitted) {
        try [UInt8(1)].withUnsafeBytes { try Syscall.setxattrat(directory, "l", "user.a", $0) }
      }
    }
  }

  @Test func `Name spaces that are unknown and file systems without attributes are errors`() throws {
    try withFile { path, directory, _ in
      #expect(throws: Errno.notSupportedOnSocket) { try Syscall.lsetxattr(path, "unknown.a", [1]) }
      #expect(throws: Errno.notSupportedOnSocket) { try Syscall.lgetxattr(path, "unknown.a") }
      #expect(throws: Errno.notSupportedOnSocket) { try Syscall.lgetxattr("/proc/self/status", "user.a") }
      // The kernel takes names of up to 255 bytes.
      let long = "user." + String(repeating: "n", count: 251)
      #expect(throws: Errno.outOfRange) { try Syscall.lsetxattr(path, long, [1]) }
      #expect(throws: Errno.outOfRange) { try Syscall.lgetxattr(path, long) }
      #expect(throws: Errno.noSuchFileOrDirectory) { try Syscall.getxattrat(directory, "x", "user.a") }
      #expect(throws: Errno.badFileDescriptor) { try Syscall.fgetxattr(-1, "user.a") }
    }
  }

  @Test func `Names are reached through the descriptor of their directory`() throws {
    try withTemporaryDirectory { path in
      let handle = try Syscall.open(path, [.path, .directory])
      let directory = handle.rawValue
      let seen = try Syscall.withProcPath(directory, "f") { String(cString: $0) }
      #expect(seen == "/proc/self/fd/\(directory)/f")
      #expect(try Syscall.withProcPath(directory, "") { String(cString: $0) } == "/proc/self/fd/\(directory)")
      #expect(try Syscall.withProcPath(directory, "/absolute") { String(cString: $0) } == "/absolute")
      #expect(try Syscall.withProcPath(Syscall.workingDirectory, "f") { String(cString: $0) } == "f")
      let long = String(repeating: "n", count: 5000)
      #expect(try Syscall.withProcPath(directory, long) { String(cString: $0) }.hasSuffix("/" + long))
    }
  }
}
