// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// What others may have put in the way of a command.
@Suite("Hostile surroundings", .tags(.root), .enabled(if: isRoot, "mounts, owners"))
struct HostileStoreTests {
  @Test func `Without a proc file system the reason is told, not the usage`() throws {
    let store = try CommandStore("vfs")
    let done = try run(
      ["unshare", "-m", "--propagation", "private", "sh", "-c", "mount -t tmpfs t /proc; exec \"$@\"", "sh"]
        + store.words(["layers"]))
    #expect(!done.isSuccess)
    #expect((done.outputText + done.errorText).contains("mount a proc file system on /proc"), "\(done)")
    #expect(!(done.outputText + done.errorText).contains("Usage"))
  }

  @Test(arguments: ["022", "077", "000", "0277"])
  func `The overlay directory and the content have the usual modes, whatever the umask`(mask: String) throws {
    let store = try CommandStore("overlay")
    let made = try run(
      ["sh", "-c", "umask \(mask); exec \"$@\"", "sh"] + store.words(["create-layer", "--id", "layer"]),
      adding: store.environment)
    #expect(made.isSuccess, "\(made)")
    let modes = try ["overlay", "overlay/l", "overlay/layer", "overlay/layer/diff"].map { name in
      String(try Syscall.stat(FilePath("\(store.graphRoot)/\(name)")).permissions, radix: 8)
    }
    #expect(modes == ["755", "755", "700", "555"])
  }

  @Test(.tags(.driver), arguments: ["overlay", "vfs"])
  func `Content of an additional store that is a link out of it is not followed`(driver: String) throws {
    let other = try CommandStore(driver)
    let store = try CommandStore(driver)
    let prepared = try shell(
      """
      mkdir t secrets; echo x >t/f; tar -C t -cf a.tar .; echo top-secret >secrets/f
      """, directory: store.directory.path)
    #expect(prepared.isSuccess)
    let archive = store.directory.appending("a.tar").string
    #expect(try other("import-layer", "-r", "--id", "layer", "-f", archive).isSuccess)
    #expect(try other("create-image", "--id", "image", "-n", "img", "layer").isSuccess)
    let content = FilePath("\(other.graphRoot)/\(driver == "overlay" ? "overlay/layer/diff" : "vfs/dir/layer")")
    let tarSplit = FilePath("\(other.graphRoot)/\(driver)-layers/layer.tar-split.gz")
    let option = ["--storage-opt", "\(driver).imagestore=\(other.graphRoot)"]
    func own(_ words: String...) throws -> ProcessResult { try store.run([words[0]] + option + words.dropFirst()) }
    #expect(try own("diff", "-u", "layer").isSuccess)
    for target in [store.directory.appending("secrets").string, "../../../secrets"] {
      let moved = try shell(
        "ln -sfn \(store.directory.appending("secrets")) \(other.directory.appending("secrets")); rm -rf \(content); "
          + "ln -s \(target) \(content)")
      #expect(moved.isSuccess)
      for words in [
        ["mount", "-r", "img"], ["diff", "-u", "layer"], ["create-container", "-n", "c", "img"], ["mount", "c"],
      ] {
        let done = try store.run([words[0]] + option + words.dropFirst())
        #expect(!done.outputText.contains("top-secret"), "\(words) \(done)")
        if words[0] == "mount" { #expect(!done.isSuccess, "\(words) \(done)") }
      }
    }
    // A tar-split file elsewhere is none.
    let linked = try shell(
      "cp \(tarSplit) \(store.directory.appending("split")); ln -sf \(store.directory.appending("split")) \(tarSplit)")
    #expect(linked.isSuccess)
    let refused = try own("diff", "-u", "layer")
    // To overlay a link in the place of content is the form of an additional layer store.
    let reason = driver == "overlay" ? "one of an additional layer store" : "outside of the store"
    #expect(!refused.isSuccess && refused.errorText.contains(reason), "\(refused)")
  }

  @Test func `An image with more layers than can be mounted is refused before anything is extracted`() throws {
    let store = try CommandStore("overlay")
    let made = try shell(
      """
      python3 - <<'E'
      import hashlib, io, json, tarfile
      def add(t, name, data):
          i = tarfile.TarInfo(name); i.size = len(data); t.addfile(i, io.BytesIO(data))
      b = io.BytesIO(); t = tarfile.open(fileobj=b, mode="w"); add(t, "f", b"x"); t.close(); layer = b.getvalue()
      digest = "sha256:" + hashlib.sha256(layer).hexdigest()
      for count in (500, 501):
          config = json.dumps({"rootfs": {"type": "layers", "diff_ids": [digest] * count}}).encode()
          with tarfile.open("%d.tar" % count, "w") as t:
              add(t, "c.json", config); add(t, "l.tar", layer)
              add(t, "manifest.json", json.dumps([{"Config": "c.json", "RepoTags": [], "Layers": ["l.tar"] * count}]).encode())
      E
      """, directory: store.directory.path)
    #expect(made.isSuccess, "\(made)")
    let refused = try store("load", "-q", store.directory.appending("501.tar").string)
    #expect(refused.errorText.contains("has 501 layers, of which the driver can mount 500"), "\(refused)")
    #expect(try store("layers").outputText == "")
  }
}
