// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Stores of which a part is elsewhere: mounted, or behind a symbolic link (storage 165, podman 27012).
@Suite("Places of a store", .tags(.root, .slow), .enabled(if: isRoot, "mounting needs root")) struct PlaceTests {
  private func loaded(_ store: CommandStore) throws {
    for words in [
      ["create-layer", "--id", "base"], ["create-image", "-n", "image", "--id", "image", "base"],
      ["create-container", "-n", "c", "--id", "c", "image"],
    ] {
      let result = try store.run(words)
      try #require(result.isSuccess, "\(result)")
    }
  }

  /// Mounts, unmounts and deletes all of a store.
  private func usesAll(_ store: CommandStore) throws {
    let mount = try store("mount", "c")
    #expect(mount.isSuccess, "\(mount)")
    try FilePath(String(mount.outputText.dropLast())).appending("file").write("x")
    for words in [["unmount", "c"], ["check"], ["delete-container", "c"], ["delete-image", "image"], ["gc"]] {
      let result = try store.run(words)
      #expect(result.isSuccess && !result.errorText.contains("cannot"), "\(words): \(result)")
    }
    let rest = try shell("find -L \(store.graphRoot) -name 'temp-dir-*' -o -name base -o -name c -o -name image")
    #expect(rest.outputText.isEmpty, "\(rest)")
  }

  @Test(arguments: ["check", "gc", "shutdown", "wipe"])
  func `A file system on the driver's directory stays mounted, and its lost+found is nobody's`(command: String) throws {
    let store = try CommandStore("overlay")
    let home = FilePath(store.graphRoot + "/overlay")
    _ = try run("mkdir", "-p", home.string)
    try SmallVolume.tmpfs.mount(at: home)
    let lost = home.appending("lost+found")
    try Syscall.mkdir(lost, mode: 0o700)
    try loaded(store)
    let result = try store(command)
    #expect(result.isSuccess && !result.errorText.contains("leftovers"), "\(result)")
    #expect(try run("stat", "-f", "-c", "%T", home.string).outputText == "tmpfs\n")
    #expect(lost.exists)
    #expect(try !store("storage-layers").outputText.contains("lost"))
  }

  @Test(.tags(.driver), arguments: ["vfs", "overlay"])
  func `A directory lost+found among records and trees is left alone`(driver: String) throws {
    let store = try CommandStore(driver)
    try loaded(store)
    let trees = driver == "vfs" ? "vfs/dir" : "overlay"
    let places = [trees, "\(driver)-layers", "\(driver)-images", "\(driver)-containers", "."].map {
      FilePath("\(store.graphRoot)/\($0)/lost+found")
    }
    for place in places { try Syscall.mkdir(place, mode: 0o755) }
    for words in [["check", "-r"], ["gc"], ["wipe"]] {
      let result = try store.run(words)
      #expect(result.isSuccess && result.errorText.isEmpty, "\(words): \(result)")
    }
    for place in places { #expect(place.exists, "\(place)") }
  }

  @Test func `A driver's directory behind a symbolic link is used as any other`() throws {
    let store = try CommandStore("overlay")
    try loaded(store)
    #expect(try store("shutdown").isSuccess)
    let script =
      "mv \(store.graphRoot)/overlay \(store.directory.path)/disk && ln -s ../disk \(store.graphRoot)/overlay"
    #expect(try shell(script).isSuccess)
    try usesAll(store)
    #expect(try store("shutdown").isSuccess)
    #expect(!MountTable.isMountPoint(store.directory.appending("disk")))
  }

  enum Move: String, CaseIterable {
    case link
    case bind
    case volume
  }

  @Test(.tags(.driver), arguments: [("vfs", Move.link), ("overlay", .link), ("overlay", .bind), ("overlay", .volume)])
  func `Directories of records may be on other file systems`(driver: String, move: Move) throws {
    let store = try CommandStore(driver)
    try loaded(store)
    let elsewhere = store.directory.appending("elsewhere")
    try Syscall.mkdir(elsewhere, mode: 0o700)
    if move != .bind { try SmallVolume.tmpfs.mount(at: elsewhere) }
    #expect(try store("shutdown").isSuccess)
    // One after the other: each is another file system to the rest.
    // A link in the place of the directory of short names is refused.
    let links = driver == "overlay" && move != .link ? ["overlay/l"] : []
    let moved = ["\(driver)-images", "\(driver)-containers"] + links
    for name in moved {
      let (old, new) = ("\(store.graphRoot)/\(name)", elsewhere.appending(name.replacing("/", with: "-")).string)
      let way = move == .link ? "rmdir \(old) && ln -s \(new) \(old)" : "mount --bind \(new) \(old)"
      let result = try shell("cp -a \(old) \(new) && rm -rf \(old)/* && \(way)")
      try #require(result.isSuccess, "\(result)")
    }
    try usesAll(store)
  }

  @Test(.tags(.driver), arguments: ["vfs", "overlay"])
  func `The directory of layers may be on another file system`(driver: String) throws {
    let store = try CommandStore(driver)
    try loaded(store)
    let layers = "\(store.graphRoot)/\(driver)-layers"
    let volume = store.directory.appending("volume")
    try Syscall.mkdir(volume, mode: 0o700)
    try SmallVolume.tmpfs.mount(at: volume)
    #expect(try shell("cp -a \(layers)/. \(volume) && rm -r \(layers) && ln -s \(volume) \(layers)").isSuccess)
    try usesAll(store)
  }

  @Test func `A root that is reached through a second path is the same store`() throws {
    let store = try CommandStore("overlay")
    try loaded(store)
    let second = store.directory.appending("second")
    try Syscall.mkdir(second, mode: 0o700)
    try Syscall.mount(source: store.graphRoot, target: second, type: "none", flags: .bind)
    func other(_ words: String...) throws -> ProcessResult {
      try store.bare(["-g", second.string, "-R", store.runRoot, "-s", "overlay"] + words)
    }
    let first = try store("mount", "c").outputText
    #expect(try other("mount", "c").outputText == first)
    #expect(try store("container", "-j", "c").isSuccess)
    #expect(try other("unmount", "c").isSuccess)
    #expect(MountTable.isMountPoint(FilePath(String(first.dropLast()))))
    let last = try other("unmount", "c")
    #expect(last.isSuccess, "\(last)")
    #expect(!MountTable.isMountPoint(FilePath(String(first.dropLast()))))
    #expect(try other("delete-container", "c").isSuccess)
    #expect(try store("containers").shows())
  }

  @Test(.enabled(if: commandExists("chattr")))
  func `Files that cannot be deleted are told at the deletion, by gc and by check`() throws {
    let store = try CommandStore("overlay")
    let volume = FilePath(store.graphRoot)
    try Syscall.mkdir(volume, mode: 0o700)
    try SmallVolume.ext4.mount(at: volume)
    try loaded(store)
    let mounted = String(try store("mount", "c").outputText.dropLast())
    try FilePath(mounted).appending("fixed").write("x")
    #expect(try store("unmount", "c").isSuccess)
    let file = try shell("ls \(store.graphRoot)/overlay/*/diff/fixed").outputText.dropLast()
    try #require(try run("chattr", "+i", String(file)).isSuccess)
    let reason = #/unlinkat .*/fixed: operation not permitted/#
    let deleted = try store("delete-container", "c")
    #expect(deleted.isSuccess && deleted.errorText.contains(reason), "\(deleted)")
    #expect(try store("containers").shows())
    #expect(try store("layers").errorText.isEmpty)
    for (command, status) in [("gc", 1), ("check", 0), ("check -r", 1)] {
      let result = try store.run(command.split(separator: " ").map(String.init))
      #expect(result.errorText.contains(reason) && result.status == .exited(status), "\(command): \(result)")
    }
    _ = try shell("chattr -R -i \(store.graphRoot)/overlay/tempdirs")
    let again = try store("gc")
    #expect(again.isSuccess && again.errorText.isEmpty, "\(again)")
    #expect(try FilePath(store.graphRoot + "/overlay/tempdirs").names().isEmpty)
  }
}
