// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// `copy` into layers, out of them, and between them (cli 18.6, archive-and-diff 12.1).
@Suite("Copy command", .tags(.root), .enabled(if: isRoot, "files of other owners")) struct CopyCommandTests {
  @Test(.tags(.driver), arguments: Drivers.all)
  func `A file gets the target's name, owner, mode and times, and no extended attributes`(driver: String) throws {
    let store = try sources(driver)
    #expect(try store("copy", "src/file", "a1:/owned").shows())
    #expect(try store("copy", "--chown", "5:6", "src/file", "a1:made/for/it").shows())
    #expect(try store("copy", "-o", "9", "src/link", "aname:/linked").shows())
    #expect(try store("copy", "src/pipe", "a1:/pipe").shows())
    #expect(try store("copy", "/dev/null", "a1:/null").shows())
    #expect(
      try listing(store, "a1") == [
        "./linked f 4750 9:9 6 1 981173106.7890000000", "./made d 700 5:6", "./made/for d 700 5:6",
        "./made/for/it f 4750 5:6 6 1 981173106.7890000000", "./null c 666 0:0",
        "./owned f 4750 7:8 6 1 981173106.7890000000",
        "./pipe p 640 3:4",
      ])
    #expect(try inTree(store, "a1", "getfattr -d owned made/for/it").isEmpty)
  }

  @Test(.tags(.driver), arguments: Drivers.all)
  func `A directory's content is merged into the target, with links, devices and attributes`(driver: String) throws {
    let store = try sources(driver)
    #expect(try store("copy", "src", "a1:/").shows())
    #expect(try store("copy", "-o", "4:5", "src", "a1:/new/place").shows())
    #expect(
      try listing(store, "a1") == [
        "./.wh.zz f 600 0:0 1 1 981173106.7890000000", "./dev c 600 0:0", "./file f 4750 7:8 6 2 981173106.7890000000",
        "./hard f 4750 7:8 6 2 981173106.7890000000", "./link l 777 0:0", "./new d 755 4:5", "./new/place d 755 4:5",
        "./new/place/.wh.zz f 600 4:5 1 1 981173106.7890000000", "./new/place/dev c 600 4:5",
        "./new/place/file f 4750 4:5 6 2 981173106.7890000000", "./new/place/hard f 4750 4:5 6 2 981173106.7890000000",
        "./new/place/link l 777 4:5", "./new/place/pipe p 640 4:5", "./new/place/sub d 711 4:5",
        "./new/place/sub/s f 600 4:5 1 1 981173106.7890000000", "./pipe p 640 3:4", "./sub d 711 3:4",
        "./sub/s f 600 0:0 1 1 981173106.7890000000",
      ])
    #expect(
      try inTree(store, "a1", "getfattr -d new/place/hard; readlink new/place/link")
        == "# file: new/place/hard\nuser.a=\"b\"\n\nfile\n")
    // A file of the content replaces a directory, and directories are merged.
    _ = try shell("rm -r src2; mkdir src2", directory: store.directory.path)
    _ = try store.file("src2/sub", "new")
    #expect(try store("copy", "src2", "a1:/").shows())
    #expect(try inTree(store, "a1", "cat sub; ls") == "newdev\nfile\nhard\nlink\nnew\npipe\nsub\n")
  }

  @Test(.tags(.driver), arguments: Drivers.all)
  func `Layers are sources too, and several sources go to one target`(driver: String) throws {
    let store = try sources(driver)
    try store("create-layer", "--id", "b1")
    try store("copy", "src", "a1:/d")
    let text = try store.file("text", "text")
    #expect(try store("copy", "-j", "a1:/d/../d/", text, "src", "b1:/").status == .exited(1))
    #expect(try store("copy", "-j", "a1:d/sub", "src", "b1:/both").shows())
    #expect(
      try inTree(store, "b1", "ls both both/sub") == "both:\ndev\nfile\nhard\nlink\npipe\ns\nsub\n\nboth/sub:\ns\n")
    #expect(try store("copy", "a1:/d/file", text, "b1:/last").shows())
    #expect(try inTree(store, "b1", "cat last") == "text")
    #expect(try store("copy", "a1:/d", "out").shows())
    #expect(try run("ls", "\(store.directory.path)/out").outputText == "dev\nfile\nhard\nlink\npipe\nsub\n")
    // Within one layer, also onto itself.
    #expect(try store("copy", "a1:/d/file", "a1:/d/file").shows())
    #expect(try store("copy", "a1:/d", "a1:/d/inner").shows())
    #expect(
      try inTree(store, "a1", "cat d/file d/inner/file; ls d/inner")
        == "hello\nhello\ndev\nfile\nhard\nlink\npipe\nsub\n")
    #expect(try store("mounted", "a1", "b1").shows())
  }

  @Test func `Owners are translated between the maps of source and target`() throws {
    let store = try sources("vfs")
    try store("create-layer", "--id", "m1", "--uidmap", "0:100000:65536", "--gidmap", "0:200000:65536")
    #expect(try store("copy", "src/file", "m1:/one").shows())
    #expect(try store("copy", "-o", "5:6", "src", "m1:/many").shows())
    #expect(try store("copy", "m1:/one", "a1:/back").shows())
    #expect(try store("copy", "m1:/one", "host").shows())
    #expect(
      try inTree(store, "m1", "stat -c '%u:%g' one many many/file") == "100007:200008\n100005:200006\n100005:200006\n")
    #expect(try inTree(store, "a1", "stat -c '%u:%g' back") == "7:8\n")
    #expect(try run("stat", "-c", "%u:%g", "\(store.directory.path)/host").outputText == "7:8\n")
    _ = try store.file("foreign", "")
    #expect(try run("chown", "70000:0", "\(store.directory.path)/foreign").isSuccess)
    #expect(try store("copy", "foreign", "m1:/foreign").status == .exited(1))
  }

  @Test(.tags(.driver), arguments: Drivers.all) func `Links and dots of a layer do not lead out of it`(driver: String)
    throws
  {
    let store = try sources(driver)
    let secret = try store.file("secret", "secret")
    let outside = store.directory.path
    try inTree(store, "a1", "ln -s \(secret) s; ln -s \(outside) dir; ln -s ../../../../../../.. up; ln -s / root")
    for path in ["s", "dir/secret", "up\(secret)", "root\(secret)", "../../../../../../../..\(secret)"] {
      let result = try store("copy", "a1:/\(path)", "stolen")
      #expect(result.status == .exited(1) && result.errorText.contains("no such file or directory"), "\(result)")
    }
    _ = try store.file("text", "text")
    #expect(try store("copy", "text", "a1:/dir/secret").status == .exited(1))
    #expect(try store("copy", "text", "a1:/up/../../../secret2").shows())
    #expect(try store("copy", "text", "a1:/root/below").shows())
    #expect(try store("copy", "text", "a1:/s").shows())
    #expect(try inTree(store, "a1", "cat secret2 below s") == "texttexttext")
    #expect(try FilePath(secret).readBytes() == Array("secret".utf8))
    #expect(try run("ls", outside.string).outputText == "g\nr\nsecret\nsrc\nsrc2\nstorage.conf\ntext\n")
  }

  @Test(.tags(.driver), arguments: Drivers.all) func `Failures have the reference's words`(driver: String) throws {
    let store = try sources(driver)
    let home = driver == "vfs" ? "vfs/dir/a1" : "overlay/a1/merged"
    let root = "\(store.graphRoot)/\(home)"
    try store("copy", "src", "a1:/")
    func fails(_ words: [String], _ text: String) throws {
      let result = try store.run(["copy"] + words)
      #expect(result.shows(error: text + "\n", status: 1), "\(words) \(result)")
    }
    func unpacking(_ name: String) -> String {
      "unpacking failed (error: exit status 1; output: cannot overwrite directory \"/\(name)\" with non-directory \"/\")"
    }
    let base = home.split(separator: "/").last.map(String.init) ?? ""
    try fails(["src/file", "a1:/"], "error copying \"src/file\" to \"\(root)\": \(unpacking(base))")
    try fails(["src/file", "a1:"], "error copying \"src/file\" to \"\(root)\": \(unpacking(base))")
    try fails(["src/file", "a1:/sub/"], "error copying \"src/file\" to \"\(root)/sub\": \(unpacking("sub"))")
    try fails(["src", "a1:/file"], "error copying \"src\" to \"\(root)/file\": mkdir \(root)/file: not a directory")
    for source in ["src", "src/file"] {
      try fails(
        [source, "a1:/file/be/low"],
        "error copying \"\(source)\" to \"\(root)/file/be/low\": mkdir \(root)/file: not a directory")
    }
    for path in ["/nonexist", "nonexist", ""] {
      try fails(
        [path, "a1:/"], "error copying \"\(path)\" to \"\(root)\": stat \(path): no such file or directory")
    }
    try fails(["a1:/no", "out"], "error copying \"\(root)/no\" to \"out\": stat \(root)/no: no such file or directory")
    try fails(["src/file", ""], "error copying \"src/file\" to \"\": mkdir : no such file or directory")
    try fails(["nope:/x", "a1:/"], "error finding layer \"nope\": layer not known")
    try fails(["nope:/x", "gone:/"], "error finding layer \"gone\": layer not known")
    try fails(["/nonexist", "nope:/"], "error finding layer \"nope\": layer not known")
    try fails([":/x", "a1:/"], "error finding layer \"\": layer not known")
    let syntax = "invalid syntax"
    for (owner, part, value, problem) in [
      ("x", "UID", "x", syntax), ("1:y", "GID", "y", syntax), ("1:", "GID", "", syntax), (":1", "UID", "", syntax),
      ("1:2:3", "GID", "2:3", syntax), ("-1", "UID", "-1", syntax),
      ("99999999999", "UID", "99999999999", "value out of range"),
    ] {
      try fails(
        ["-o", owner, "src/file", "a1:/z"], "bad \(part): strconv.ParseUint: parsing \"\(value)\": \(problem)")
    }
    let few = try store("copy", "a1:/")
    #expect(few.status == .exited(1) && few.outputText.hasPrefix("copy: more arguments required.\n"), "\(few)")
    // Nothing stays mounted, whatever happened.
    #expect(try store("mounted", "a1").shows())
  }

  @Test(.tags(.interop, .slow), .enabled(if: commandExists("containers-storage")))
  func `Debian's program leaves the same trees and says the same`() throws {
    for driver in Drivers.all {
      let ours = try sources(driver)
      let theirs = try sources(driver, program: "/usr/bin/containers-storage")
      // 1.43 has no working --chown, and never comes back from a FIFO.
      for words in [
        ["src", "aname:/"], ["src/file", "a1:deep/er/name"], ["src/link", "a1:/fromlink"], ["src", "a1:/new/place"],
        ["a1:/sub/s", "host/locf"], ["src/file", "a1:/several"], ["src/link", "src/file", "a1:/two"], ["src2", "a1:/"],
        ["/dev/null", "a1:/null"], ["a1:/hard", "b1:/hard"], ["a1:/new", "b1:/"], ["b1:/hard", "a1:/mapped"],
        ["src", "a1:/file"], ["src", "a1:/file/below"], ["nope:/x", "a1:/"], ["src", "nope:/"], ["/nonexist", "a1:/"],
        ["a1:/file", "a1:/file"], ["a1:/deep", "a1:/deeper"], ["", "a1:/q"], ["-j", "src/hard", "a1:/zj"],
      ] {
        let one = try ours.run(["copy"] + words)
        let other = try theirs.run(["copy"] + words)
        #expect(one.status == other.status, "\(words) \(one) \(other)")
        #expect(
          one.errorText.replacing(ours.directory.path.string, with: "DIR")
            == other.errorText.replacing(theirs.directory.path.string, with: "DIR"), "\(words)")
      }
      for layer in ["a1", "b1"] {
        let (one, other) = (try listing(ours, layer), try listing(theirs, layer))
        #expect(one == other, "\(driver) \(layer)")
        let attributes = "getfattr -dhR . | sort"
        #expect(try inTree(ours, layer, attributes) == inTree(theirs, layer, attributes))
      }
    }
  }

  // MARK: Helpers

  /// A store with the layers `a1` (also `aname`) and `b1`, with files to copy beside it.
  private func sources(_ driver: String, program: String? = nil) throws -> CommandStore {
    let store = try CommandStore(driver, program: program)
    let made = try shell(
      """
      set -e; umask 077; mkdir -p src/sub src2; printf 'hello\\n' >src/file; printf s >src/sub/s; printf x >src/.wh.zz
      printf 2 >src2/sub; printf 3 >src2/file; ln src/file src/hard; ln -s file src/link; mkfifo -m 640 src/pipe
      mknod src/dev c 1 3; chown 7:8 src/file; chown 3:4 src/sub src/pipe; chmod 4750 src/file; chmod 711 src/sub
      setfattr -n user.a -v b src/file
      find src src2 -type f -exec touch -d '2001-02-03 04:05:06.789 UTC' {} +
      """, directory: store.directory.path)
    #expect(made.isSuccess, "\(made)")
    #expect(try store("create-layer", "--id", "a1", "-n", "aname").isSuccess)
    #expect(try store("create-layer", "--id", "b1").isSuccess)
    return store
  }

  /// Runs a script in the mounted tree of a layer.
  @discardableResult
  private func inTree(_ store: CommandStore, _ layer: String, _ script: String) throws -> String {
    let root = try store("mount", layer).outputText.split(separator: "\n").first.map(String.init) ?? "/nonexistent"
    let result = try shell(script, directory: FilePath(root))
    #expect(try store("unmount", layer).isSuccess)
    return result.outputText + result.errorText
  }

  /// What is in a layer: name, kind, mode and owner; of files also size, links and time.
  private func listing(_ store: CommandStore, _ layer: String) throws -> [String] {
    let text = try inTree(
      store, layer,
      "find . -mindepth 1 -type f -printf '%p %y %m %U:%G %s %n %T@\\n' -o -mindepth 1 -printf '%p %y %m %U:%G\\n'")
    return text.split(separator: "\n").map(String.init).sorted()
  }
}
