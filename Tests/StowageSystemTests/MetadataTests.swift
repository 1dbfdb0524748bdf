// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Expected values: what `stat` and `lsattr` show.
@Suite("Changing metadata") struct MetadataTests {
  private func shown(_ format: String, _ path: FilePath) throws -> String {
    String(try run("stat", "-c", format, path.string).outputText.dropLast())
  }

  private func withFile(_ body: (FilePath, FilePath, CInt) throws -> Void) throws {
    try withTemporaryDirectory { directory in
      try directory.appending("f").write("")
      try Syscall.symlink(target: "f", at: directory.appending("l"))
      let handle = try Syscall.open(directory, [.path, .directory])
      try body(directory.appending("f"), directory.appending("l"), handle.rawValue)
    }
  }

  @Test func `Permission bits are set exactly, by a path through links`() throws {
    try withFile { file, link, directory in
      let handle = try Syscall.open(file, .readOnly)
      for mode in [UInt32(0), 0o644, 0o7777, 0o4750, 0o1000] {
        try Syscall.fchmod(handle.rawValue, mode: mode)
        #expect(try shown("%a", file) == String(mode, radix: 8))
      }
      try Syscall.fchmodat(directory, "f", mode: 0o600)
      #expect(try shown("%a", file) == "600")
      try Syscall.chmod(link, mode: 0o640)
      #expect(try shown("%a", file) == "640")
      #expect(throws: Errno.noSuchFileOrDirectory) { try Syscall.fchmodat(directory, "x", mode: 0o600) }
    }
  }

  /// Since Linux 6.6 there is a call for it; before, a handle and its entry in `/proc` do the same.
  @Test(arguments: [true, false])
  func `A name in a directory is not followed when its mode is set`(byCall: Bool) throws {
    func change(_ directory: CInt, _ name: String, _ mode: UInt32) throws(Errno) {
      if byCall { return try Syscall.fchmodat(directory, name, mode: mode) }
      try Syscall.changeModeOfHandle(directory, name, mode: mode)
    }
    try withFile { file, link, directory in
      #expect(throws: Errno.notSupported) { try change(directory, "l", 0o777) }
      #expect(try shown("%a", file) == "644")
      #expect(throws: Errno.noSuchFileOrDirectory) { try change(directory, "x", 0o777) }
      try Syscall.mkdirat(directory, "d", mode: 0o700)
      try Syscall.mknodat(directory, "p", mode: 0o010600, device: 0)
      for name in ["f", "d", "p"] {
        try change(directory, name, 0o4711)
        #expect(try shown("%a", file.removingLastComponent().appending(name)) == "4711")
      }
    }
  }

  @Test(.tags(.root), .enabled(if: isRoot, "files are given away"))
  func `Owners are set of links themselves, or of targets`() throws {
    try withFile { file, link, directory in
      try Syscall.fchownat(directory, "l", uid: 1, gid: 2)
      #expect(try shown("%u:%g", link) == "1:2")
      #expect(try shown("%u:%g", file) == "0:0")
      try Syscall.fchownat(directory, "l", uid: 3, gid: 4, flags: [])
      #expect(try shown("%u:%g", file) == "3:4")
      try Syscall.lchown(link, uid: 5, gid: 6)
      #expect(try shown("%u:%g", link) == "5:6")
      let handle = try Syscall.open(file, .readOnly)
      try Syscall.fchown(handle.rawValue, uid: 4_294_967_294, gid: 100_000)
      #expect(try shown("%u:%g", file) == "4294967294:100000")
      // The highest number means "leave as it is".
      try Syscall.fchown(handle.rawValue, uid: .max, gid: 7)
      #expect(try shown("%u:%g", file) == "4294967294:7")
    }
  }

  @Test func `Times have nanoseconds, and nil leaves one alone`() throws {
    try withFile { file, link, directory in
      let (early, late) = (
        FileTime(seconds: -1, nanoseconds: 5), FileTime(seconds: 4_000_000_000, nanoseconds: 999_999_999)
      )
      try Syscall.utimensat(directory, "l", access: early, modification: late)
      #expect(try Syscall.lstat(link).accessTime == early)
      #expect(try shown("%.9Y", link) == "4000000000.999999999")
      #expect(try Syscall.lstat(file).modificationTime.seconds < 4_000_000_000)
      try Syscall.utimensat(directory, "l", access: late, modification: nil, flags: [])
      #expect(try shown("%.9X", file) == "4000000000.999999999")
      let modified = try Syscall.lstat(file).modificationTime
      let handle = try Syscall.open(file, .readOnly)
      try Syscall.futimens(handle.rawValue, access: early, modification: nil)
      #expect(try Syscall.lstat(file).modificationTime == modified)
      #expect(try Syscall.lstat(file).accessTime == early)
      try Syscall.futimens(handle.rawValue, access: nil, modification: .epoch)
      #expect(try shown("%.9Y", file) == "0.000000000")
      #expect(throws: Errno.invalidArgument) {
        try Syscall.futimens(
          handle.rawValue, access: nil, modification: FileTime(seconds: 0, nanoseconds: 1_000_000_000))
      }
    }
  }
}
