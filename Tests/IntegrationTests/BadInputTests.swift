// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Hostile and damaged input, through the command line: a clear message, exit status 1, nothing left, nothing touched
/// outside of the store.
@Suite("Bad input") struct BadInputTests {
  /// An archive written by Python's tarfile from lines of Python that get the open archive as `tar`.
  private func archive(_ store: CommandStore, _ lines: String, name: String = "bad.tar") throws -> String {
    let path = store.directory.appending(name).string
    let script = """
      import tarfile, io
      def add(name, data=b'x', **more):
          member = tarfile.TarInfo(name); member.size = len(data)
          for key, value in more.items(): setattr(member, key, value)
          tar.addfile(member, io.BytesIO(data) if member.isreg() else None)
      with tarfile.open('\(path)', 'w') as tar:
      \(lines.split(separator: "\n").map { "    " + $0 }.joined(separator: "\n"))
      """
    let made = try StowageTestSupport.run(["python3", "-c", script])
    guard made.isSuccess else { throw FixtureError(text: made.description) }
    return path
  }

  /// Expects that the store has no layer, nor anything that could belong to one.
  private func expectEmpty(_ store: CommandStore, sourceLocation: SourceLocation = #_sourceLocation) throws {
    #expect(try store("layers", "-j").shows("null\n"), sourceLocation: sourceLocation)
    #expect(try store("images", "-j").shows("null\n"), sourceLocation: sourceLocation)
    let stray = try shell(
      """
      cd \(store.graphRoot)
      find . -name '*.tar-split.gz' -o -name '.tmp-*' -o -path '*/tempdirs/*' -o -path '*-layers/tmp/*' \
        -o -path './vfs/dir/*' -o -path './overlay/l/*'
      """)
    #expect(stray.outputText.isEmpty, "\(stray.outputText)", sourceLocation: sourceLocation)
  }

  @Test(.tags(.driver), arguments: Drivers.all, ["truncated", "corrupted", "junk", "gzip cut short"])
  func `A damaged archive leaves no layer`(driver: String, damage: String) throws {
    let store = try CommandStore(driver)
    let good = try archive(store, "add('a', b'0' * 3000)\nadd('b', b'1' * 3000)")
    let bad = store.directory.appending("damaged").string
    let command =
      switch damage {
      case "truncated": "head -c 2000 \(good) >\(bad)"
      case "corrupted": "cp \(good) \(bad); printf Z | dd of=\(bad) bs=1 seek=3590 conv=notrunc 2>/dev/null"
      case "junk": "head -c 4096 /dev/zero | tr '\\0' 'q' >\(bad)"
      default: "gzip -c \(good) | head -c 60 >\(bad)"
      }
    try #require(try shell(command).isSuccess)
    let result = try store("import-layer", "--id", "bad", "-f", bad)
    #expect(result.status == .exited(1))
    #expect(result.errorText.contains("unexpected EOF") || result.errorText.contains("invalid tar header"))
    try expectEmpty(store)
    let loaded = try store("load", bad)
    #expect(loaded.status == .exited(1))
    #expect(loaded.errorText.contains("damaged"), "the message names the file: \(loaded.errorText)")
    try expectEmpty(store)
  }

  @Test(.tags(.driver), arguments: Drivers.all)
  func `Names and links that lead outside land inside, at import and at diff`(driver: String) throws {
    let store = try CommandStore(driver)
    let outside = store.directory.appending("outside")
    try Syscall.mkdir(outside, mode: 0o755)
    try outside.appending("secret").write("secret of the host")
    let bad = try archive(
      store,
      """
      add('../../../evil-relative')
      add('/evil-absolute')
      add('s', b'', type=tarfile.SYMTYPE, linkname='\(outside.string)')
      add('d', b'', type=tarfile.DIRTYPE, mode=0o755)
      add('\(outside.string.dropFirst())', b'', type=tarfile.DIRTYPE, mode=0o755)
      add('s/secret', b'inside of the layer')
      """)
    try #require(try store("import-layer", "--id", "bad", "-f", bad).isSuccess)
    #expect(try outside.appending("secret").readText() == "secret of the host")
    #expect(try outside.names() == ["secret"])
    #expect(!FilePath("/evil-absolute").exists && !FilePath("/evil-relative").exists)
    let diff = try store("diff", "-u", "bad")
    #expect(diff.isSuccess)
    #expect(diff.output == (try FilePath(bad).readBytes()))
    #expect(!diff.outputText.contains("secret of the host"))
  }

  @Test(.tags(.driver), arguments: Drivers.all)
  func `A hard link to a file outside of the layer is refused`(driver: String) throws {
    let store = try CommandStore(driver)
    let bad = try archive(store, "add('passwd', b'', type=tarfile.LNKTYPE, linkname='../../../../etc/passwd')")
    let result = try store("import-layer", "--id", "bad", "-f", bad)
    #expect(result.status == .exited(1))
    #expect(result.errorText.contains("no such file or directory"))
    try expectEmpty(store)
  }

  @Test(.tags(.driver), arguments: Drivers.all)
  func `Entries that occur twice are refused`(driver: String) throws {
    let store = try CommandStore(driver)
    let bad = try archive(store, "add('a', b'1')\nadd('./a', b'2')")
    let result = try store("import-layer", "--id", "bad", "-f", bad)
    #expect(result.status == .exited(1))
    #expect(result.errorText.contains("duplicates of file paths not supported"))
    try expectEmpty(store)
  }

  @Test(.tags(.driver), arguments: Drivers.all)
  func `Names that are not UTF-8 work`(driver: String) throws {
    let store = try CommandStore(driver)
    let good = try archive(store, "add(b'odd-\\xff\\xfe'.decode('utf-8', 'surrogateescape'))")
    try #require(try store("import-layer", "--id", "odd", "-f", good).isSuccess)
    #expect(try store("changes", "odd").shows("Add \"/odd-\\xff\\xfe\"\n"))
    #expect(try store("diff", "-u", "odd").output == FilePath(good).readBytes())
  }

  @Test(.tags(.root, .driver), .enabled(if: isRoot, "needs root to mount a small file system"), arguments: Drivers.all)
  func `A full disk leaves nothing behind`(driver: String) throws {
    let store = try CommandStore(driver)
    let big = try archive(store, "add('big', bytes(range(256)) * 16384)")
    try Syscall.mkdir(FilePath(store.graphRoot), mode: 0o700)
    try Syscall.mount(source: "tmpfs", target: FilePath(store.graphRoot), type: "tmpfs", data: "size=3m")
    defer {
      _ = try? store("shutdown", "-f")
      _ = try? shell("umount -l \(store.graphRoot)")
    }
    let result = try store("import-layer", "--id", "big", "-f", big)
    #expect(result.status == .exited(1))
    #expect(result.errorText.contains("no space left on device"))
    try expectEmpty(store)
    try #require(try store("create-layer", "--id", "small").isSuccess)
  }

  @Test(arguments: [
    "[null]", "{}", "[{\"id\":7}]", "[{\"id\":\"a\",\"created\":\"\"}]", "[{\"id\":\"a\"", "[] trailing",
  ])
  func `Damaged records are errors that name the file`(content: String) throws {
    let store = try CommandStore("vfs")
    try #require(try store("create-layer", "--id", "good").isSuccess)
    let file = store.graphRoot + "/vfs-layers/layers.json"
    try FilePath(file).write(content)
    let result = try store("layers")
    #expect(result.status == .exited(1))
    #expect(result.errorText.contains("loading \"\(file)\": "), "\(result)")
    #expect(try FilePath(file).readText() == content, "the damaged file is left for repair")
    #expect(try store("images").isSuccess, "other parts stay usable")
  }

  @Test func `Two records with one identifier both stay in the file`() throws {
    let store = try CommandStore("vfs")
    try #require(try store("create-layer", "--id", "a").isSuccess)
    let file = FilePath(store.graphRoot + "/vfs-layers/layers.json")
    let record = try String(file.readText().dropFirst().dropLast())
    let second = record.replacing("\"id\":\"a\"", with: "\"id\":\"a\",\"metadata\":\"shadowed\"")
    try file.write("[\(record),\(second)]")
    try #require(try store("create-layer", "--id", "b").isSuccess)
    #expect(try file.readText().contains(second))
    #expect(try store("layers", "-q").shows("a\nb\n"))
  }

  @Test func `Identifiers that leave the store are refused`() throws {
    let store = try CommandStore("vfs")
    for id in ["../esc", "a/b", ".", "..", "a:b", "a,b", "a b"] {
      let result = try store("create-layer", "--id", id)
      #expect(result.status == .exited(1), "\(id)")
      #expect(result.errorText.contains(id), "\(result)")
    }
    try expectEmpty(store)
  }

  @Test func `An ambiguous prefix is not found`() throws {
    let store = try CommandStore("vfs")
    for id in ["abc1", "abc2"] { try #require(try store("create-layer", "--id", id).isSuccess) }
    #expect(try store("layer", "abc").shows(status: 1))
    #expect(try store("mount", "abc").status == .exited(1))
    #expect(try store("layer", "abc1").isSuccess)
  }

  @Test(.tags(.root, .driver), .enabled(if: isRoot, "needs root to mount"), arguments: Drivers.all)
  func `A read-only graph root is an error that names it, and nothing is lost`(driver: String) throws {
    let store = try CommandStore(driver)
    try #require(try store("create-layer", "--id", "kept").isSuccess)
    _ = try store("shutdown")
    try #require(
      try shell("mount --bind \(store.graphRoot) \(store.graphRoot) && mount -o remount,bind,ro \(store.graphRoot)")
        .isSuccess)
    let refused = try store("create-layer", "--id", "more")
    try #require(try shell("umount \(store.graphRoot)").isSuccess)
    #expect(refused.status == .exited(1))
    #expect(refused.errorText.contains("read-only file system"))
    #expect(refused.errorText.contains(store.graphRoot))
    #expect(try store("layers", "-q").shows("kept\n"))
  }

  @Test(.tags(.root), .enabled(if: isRoot, "makes a device for the archive"))
  func `Devices are left out without privilege, and the diff still has them`() throws {
    let store = try CommandStore("vfs")
    let folder = store.directory.path.string
    try #require(
      try shell("cd \(folder) && mknod null c 1 3 && echo x >file && tar -cf device.tar null file").isSuccess)
    let namespace = ["unshare", "--map-root-user", "--mount"]
    let imported = try StowageTestSupport.run(
      namespace + store.words(["import-layer", "--id", "d", "-f", folder + "/device.tar"]), adding: store.environment)
    #expect(imported.isSuccess, "\(imported)")
    #expect(try FilePath(store.graphRoot + "/vfs/dir/d").names() == ["file"])
    let diff = try StowageTestSupport.run(namespace + store.words(["diff", "-u", "d"]), adding: store.environment)
    #expect(try diff.output == FilePath(folder + "/device.tar").readBytes())
  }

  @Test(arguments: ["rm", "truncate -s 0"])
  func `Data of images stays when their record file is lost`(accident: String) throws {
    let store = try CommandStore("vfs")
    let id = String(repeating: "a", count: 64)
    try #require(try store("create-image", "--id", id).isSuccess)
    try #require(try store("set-image-data", id, "manifest", input: Array("{}".utf8)).isSuccess)
    try #require(try shell("\(accident) \(store.graphRoot)/vfs-images/images.json").isSuccess)
    #expect(try store("images").isSuccess)
    #expect(try FilePath(store.graphRoot + "/vfs-images/\(id)/manifest").readText() == "{}")
  }
}
