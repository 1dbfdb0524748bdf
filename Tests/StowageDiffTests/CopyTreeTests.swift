// SPDX-License-Identifier: Apache-2.0

import StowageDiff
import StowageModel
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

@Suite("Copies of trees", .tags(.root), .enabled(if: isRoot, "devices and owners"))
struct CopyTreeTests {
  @Test func `A file whose attributes cannot be listed is not taken for one without`() throws {
    // On this file system attributes are limited by memory only, and the kernel lists at most 64 KiB of names.
    let place = FilePath("/dev/shm/stowage-attributes-\(try getpidText())")
    defer { _ = try? shell("rm -rf \(place)") }
    let made = try shell(
      """
      mkdir -p \(place)/from \(place)/to && cd \(place)/from && : > f &&
      setfattr -n security.capability -v 0x0100000200000000000000000000000000000000 f && python3 -c '
      import os
      for number in range(330): os.setxattr("f", "trusted.%s%d" % ("x" * 220, number), b"y")'
      """)
    try #require(made.isSuccess, "\(made)")
    func message(_ body: () throws -> Void) -> String? {
      do { try body() } catch { return (error as? StorageError)?.message }
      return nil
    }
    let from = place.appending("from")
    #expect(message { try copyTree(from: from, to: place.appending("to")) } == "llistxattr /f: argument list too long")
    #expect(message { _ = try overlayDiff(from) } == "llistxattr /f: argument list too long")
    #expect(message { _ = try treeDiff(from, place.appending("to")) }?.contains("argument list too long") == true)
  }

  @Test(arguments: ["/tmp", "/dev/shm"])
  func `Everything is kept: kinds, owners, modes, times, links, attributes, holes`(place: String) throws {
    try withTemporaryDirectory { root in
      _ = try shell(
        """
        mkdir -p a/d/e && cd a && echo text > d/f && ln d/f g && ln d/f d/e/h && ln -s /etc l && ln l m && mkfifo p &&
        mknod c c 300 70000 && mknod b b 7 9 && python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('sock')" &&
        chmod 6755 d/f && chown 5:6 d/f p c && chmod 1777 d && setfattr -n user.x -v y d/f d && setfattr -n trusted.z -v 1 d/e &&
        setfattr -n security.capability -v 0x0100000200000000000000000000000000000000 g && chmod 6755 g &&
        truncate -s 64M sparse && printf x | dd of=sparse bs=1 seek=33554432 conv=notrunc 2>/dev/null &&
        printf odd > "$(printf '\\377')" && : > empty && chown 7:8 . && chmod 711 . && setfattr -n user.root -v 1 . &&
        find . -depth -exec touch -h -d '2001-02-03 04:05:06.789' {} +
        """, directory: root)
      let target = FilePath("\(place)/stowage-copy-\(try getpidText())")
      defer { _ = try? shell("rm -rf \(target)") }
      try Syscall.mkdir(target, mode: 0o755)
      try copyTree(from: root.appending("a"), to: target)
      let format = "%P|%y|%m|%U:%G|%T@|%s|%l|%n"
      #expect(try listing(target, format) == listing(root.appending("a"), format))
      #expect(try attributes(target) == attributes(root.appending("a")))
      let (from, to) = (try Syscall.stat(root.appending("a")), try Syscall.stat(target))
      #expect((to.uid, to.gid, to.permissions, to.modificationTime) == (7, 8, 0o711, from.modificationTime))
      #expect(try Syscall.lstat(target.appending("sparse")).blocks < 1000)
      #expect(try shell("cmp a/sparse \(target)/sparse", directory: root).isSuccess)
      let device = try Syscall.lstat(target.appending("c"))
      #expect((device.deviceMajor, device.deviceMinor) == (300, 70000))
    }
  }

  @Test func `In a user namespace devices are left out, and whiteouts are not`() throws {
    try withTemporaryDirectory { root in
      _ = try shell("mkdir a b && mknod a/c c 1 3 && mknod a/b b 0 0 && mknod a/w c 0 0 && mkfifo a/p", directory: root)
      try copyTree(from: root.appending("a"), to: root.appending("b"), options: CopyOptions(inUserNamespace: true))
      #expect(try listing(root.appending("b"), "%P|%y") == ["p|p", "w|c"])
    }
  }

  @Test func `Links are not followed, absolute or not`() throws {
    try withTemporaryDirectory { root in
      _ = try shell("mkdir a b && ln -s \(root)/outside a/l && mkdir outside && : > outside/x", directory: root)
      try copyTree(from: root.appending("a"), to: root.appending("b"))
      #expect(try listing(root.appending("b"), "%P|%y") == ["l|l"])
    }
  }

  private func getpidText() throws -> String { try String(decoding: Syscall.readlink("/proc/self"), as: UTF8.self) }
}
