// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Graph roots that can only be read (podman 8253).
@Suite("Read-only graph roots", .tags(.root, .slow), .enabled(if: isRoot, "mounting needs root")) struct ReadOnlyTests {
  /// What is kept from the time before the graph root was read-only.
  private static let looks = [
    ["images"], ["layers"], ["containers"], ["image", "image"], ["container", "c"], ["stores"], ["changes", "top"],
    ["diff", "-u", "top"], ["diffsize", "top"], ["status"], ["names", "image"], ["get-image-data", "image", "item"],
    ["check"],
  ]

  private func filled(_ driver: String) throws -> CommandStore {
    let store = try CommandStore(driver)
    let root = FilePath(store.graphRoot)
    try Syscall.mkdir(root, mode: 0o700)
    try SmallVolume.tmpfs.mount(at: root)
    let item = try store.file("item", "text")
    for words in [
      ["create-layer", "--id", "base"], ["create-layer", "--id", "top", "base"],
      ["create-image", "-n", "image", "--id", "image", "top"], ["set-image-data", "-f", item, "image", "item"],
      ["create-container", "-n", "c", "--id", "c", "image"],
    ] {
      let result = try store.run(words)
      try #require(result.isSuccess, "\(words): \(result)")
    }
    let tree = String(try store("mount", "top").outputText.dropLast())
    try FilePath(tree).appending("file").write("content")
    #expect(try store("unmount", "top").isSuccess)
    return store
  }

  private func close(_ store: CommandStore) throws {
    #expect(try store("shutdown").isSuccess)
    try #require(try run("mount", "-o", "remount,ro", store.graphRoot).isSuccess)
  }

  @Test(.tags(.driver), arguments: ["vfs", "overlay"])
  func `All that only looks shows what it showed before`(driver: String) throws {
    let store = try filled(driver)
    let before = try Self.looks.map { try store.run($0) }
    // What looking made on the way.
    try #require(try run("rm", "-rf", "\(store.graphRoot)/\(driver)-containers/c").isSuccess)
    try close(store)
    for (words, result) in zip(Self.looks, before) {
      let now = try store.run(words)
      #expect(now.status == result.status, "\(words): \(now)")
      // Read-only objects are marked as such.
      if !["images", "image", "status", "layers", "stores"].contains(words[0]) {
        #expect(now.outputText == result.outputText, "\(words): \(now) \(result)")
      }
    }
    for (verb, kind, id) in [("get-container-dir", "containers", "c"), ("get-image-dir", "images", "image")] {
      let path = "\(store.graphRoot)/\(driver)-\(kind)/\(id)/userdata"
      #expect(try store(verb, id).shows("\(path)\n"))
      #expect(!FilePath(path).exists)
    }
  }

  @Test(.tags(.driver), arguments: ["vfs", "overlay"])
  func `What would change it says that it is read-only`(driver: String) throws {
    let store = try filled(driver)
    try close(store)
    for words in [
      ["delete-image", "image"], ["delete-container", "c"], ["delete", "c"], ["create-layer"], ["wipe"], ["gc"],
      ["add-names", "-n", "new", "image"], ["create-container", "image"],
      ["set-image-data", "-f", "/dev/null", "image", "x"],
      ["load", fixture("samples/sample-docker-archive.tar").string],
    ] {
      let result = try store.run(words)
      let text = result.outputText + result.errorText
      #expect(!result.isSuccess, "\(words): \(result)")
      #expect(
        text.contains("the store at \(store.graphRoot) can be read, not changed: read-only file system"),
        "\(words): \(result)")
    }
    #expect(try store("shutdown").isSuccess)
  }

  @Test func `Images are mounted read-only in the run root`() throws {
    let store = try filled("overlay")
    try close(store)
    let mounted = try store("mount", "--read-only", "image")
    let path = FilePath(String(mounted.outputText.dropLast()))
    #expect(try path.appending("file").readText() == "content", "\(mounted)")
    #expect(path.string.hasPrefix(store.runRoot))
    let unmounted = try store("unmount", "image")
    #expect(unmounted.isSuccess, "\(unmounted)")
    #expect(!MountTable.isMountPoint(path))
  }

  @Test(.enabled(if: canMountVolumes && commandExists("chattr")))
  func `A directory that is closed to this process is read, too`() throws {
    let store = try CommandStore("vfs")
    let root = FilePath(store.graphRoot)
    try Syscall.mkdir(root, mode: 0o700)
    try SmallVolume.ext4.mount(at: root)
    try #require(try store("create-layer", "--id", "layer").isSuccess)
    try #require(try store("create-image", "-n", "image", "layer").isSuccess)
    try #require(try run("chattr", "+i", root.string).isSuccess)
    defer { _ = try? run("chattr", "-i", root.string) }
    #expect(try store("images").outputText.contains("image"))
    #expect(try store("layers", "-q").outputText == "layer\n")
    let refused = try store("delete-image", "image")
    #expect(refused.errorText.contains("can be read, not changed: operation not permitted"), "\(refused)")
  }
}
