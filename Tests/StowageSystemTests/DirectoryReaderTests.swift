// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Expected values: `os.scandir` of Python, `ls`.
@Suite("Reading directories") struct DirectoryReaderTests {
  @Test(.tags(.slow)) func `Many long names come once each, with kind and inode`() throws {
    try withTemporaryDirectory { directory in
      // Together several times what one call of the kernel delivers.
      let script = """
        import os, sys
        os.chdir(sys.argv[1])
        for i in range(2000): open('%04d' % i + 'n' * 200, 'w').close()
        for i in range(20): os.mkdir('d%d' % i); os.symlink('x', 'l%d' % i); os.mkfifo('p%d' % i)
        kind = lambda e: 'directory' if e.is_dir(follow_symlinks=False) else 'symbolicLink' if e.is_symlink() else \
            'regular' if e.is_file() else 'fifo'
        print('\\n'.join(sorted(f'{e.name} {kind(e)} {e.inode()}' for e in os.scandir('.'))))
        """
      let listed = try run("python3", "-c", script, directory.string)
      try #require(listed.isSuccess, "\(listed)")
      let handle = try Syscall.open(directory, [.readOnly, .directory])
      var reader = DirectoryReader(borrowing: handle.rawValue)
      var lines: [String] = []
      while let entry = try reader.next() {
        #expect(entry.nameLength == entry.nameBytes.count)
        lines.append("\(entry.nameText) \(entry.kind) \(entry.inode)")
      }
      #expect(lines.sorted().joined(separator: "\n") + "\n" == listed.outputText)
      let end = try reader.next() == nil
      #expect(end, "the end stays the end")
    }
  }

  @Test func `After going back, what was removed meanwhile is missing and what came is there`() throws {
    try withTemporaryDirectory { directory in
      for name in ["a", "b"] { try directory.appending(name).write("") }
      let handle = try Syscall.open(directory, [.readOnly, .directory])
      var reader = DirectoryReader(borrowing: handle.rawValue)
      var names: Set<String> = []
      while let entry = try reader.next() { names.insert(entry.nameText) }
      #expect(names == ["a", "b"])
      try Syscall.unlink(directory.appending("a"))
      try directory.appending("c").write("")
      try reader.rewind()
      names = []
      while let entry = try reader.next() { names.insert(entry.nameText) }
      #expect(names == ["b", "c"])
    }
  }

  @Test func `Only the two dots are left out, not names that begin with them`() throws {
    try withTemporaryDirectory { directory in
      #expect(try Syscall.directoryNames(directory).isEmpty)
      for name in [".a", "..a", "...", "a."] { try directory.appending(name).write("") }
      #expect(try directory.names() == ["...", "..a", ".a", "a."])
    }
  }

  @Test func `Names are sorted by bytes, whatever they mean`() throws {
    try withTemporaryDirectory { directory in
      let names: [[UInt8]] = [[0x01], [0x41], [0x5a], [0x61], [0x61, 0x01], [0xc3, 0xa4], [0xff]]
      for name in names.shuffled() { try FilePath(directory.bytes + [0x2f] + name).write("") }
      #expect(try Syscall.directoryNames(directory) == names)
    }
  }

  @Test func `What is no directory is an error`() throws {
    #expect(throws: Errno.notDirectory) { try Syscall.directoryNames("/dev/null") }
    #expect(throws: Errno.noSuchFileOrDirectory) { try Syscall.directoryNames("/nonexistent") }
    let file = try Syscall.open("/dev/null", .readOnly)
    #expect(throws: Errno.notDirectory) { try Syscall.directoryNames(file.rawValue) }
    #expect(throws: Errno.badFileDescriptor) { try Syscall.directoryNames(-1) }
  }

  @Test func `A directory that was removed has no names`() throws {
    try withTemporaryDirectory { directory in
      try Syscall.mkdir(directory.appending("d"), mode: 0o755)
      let handle = try Syscall.open(directory.appending("d"), [.readOnly, .directory])
      try Syscall.rmdir(directory.appending("d"))
      #expect(throws: Errno.noSuchFileOrDirectory) { try Syscall.directoryNames(handle.rawValue) }
    }
  }
}
