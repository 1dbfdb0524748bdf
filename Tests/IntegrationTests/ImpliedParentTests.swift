// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Parents that an archive does not mention (containers/storage 1288): every driver shows what the layer below has.
@Suite("Parents without an entry", .tags(.root), .enabled(if: isRoot, "owners, mounts"))
struct ImpliedParentTests {
  private let kept = ["priv 700 5:6", "priv/deep 2750 7:8", "tmp 1777 0:0"]

  private func state(_ layer: String, _ store: CommandStore) throws -> [String] {
    let path = FilePath(String(try store("mount", layer).outputText.prefix { $0 != "\n" }))
    defer { _ = try? store("unmount", layer) }
    return try shell("stat -c '%n %a %u:%g' priv priv/deep tmp; getfattr -n user.x --only-values priv", directory: path)
      .outputText.split(separator: "\n").map(String.init)
  }

  private func makeStore(_ driver: String) throws -> CommandStore {
    let store = try CommandStore(driver)
    let made = try shell(
      """
      mkdir -p base/tmp base/priv/deep child/tmp child/priv/deep; chmod 1777 base/tmp; chown 5:6 base/priv; chmod 700 base/priv
      chown 7:8 base/priv/deep; chmod 2750 base/priv/deep; setfattr -n user.x -v kept base/priv; : >base/priv/f
      echo x >child/tmp/x; echo y >child/priv/new; echo z >child/priv/deep/z
      tar --xattrs --numeric-owner -C base -cf base.tar .; tar -C child -cf child.tar tmp/x priv/new priv/deep/z
      tar -C child --transform 's,^,only/,' -cf new.tar tmp/x
      """, directory: store.directory.path)
    #expect(made.isSuccess, "\(made)")
    #expect(try store("import-layer", "-r", "--id", "base", "-f", archive("base", store)).isSuccess)
    return store
  }

  private func archive(_ name: String, _ store: CommandStore) -> String {
    store.directory.appending(name + ".tar").string
  }

  @Test(.tags(.driver), arguments: Drivers.all)
  func `They keep owner, mode and attributes of the layer below, and the layer is whole`(driver: String) throws {
    let store = try makeStore(driver)
    #expect(try store("import-layer", "-r", "--id", "child", "-f", archive("child", store), "base").isSuccess)
    #expect(try state("child", store) == kept + ["kept"])
    let out = archive("out", store)
    #expect(try store("diff", "-u", "-f", out, "child").isSuccess)
    #expect(try FilePath(out).readBytes() == FilePath(archive("child", store)).readBytes())
    #expect(try store("check").isSuccess)
    // The same for what is applied to a layer that is there, empty or not.
    for id in ["empty", "filled"] {
      #expect(try store("create-layer", "--id", id, "base").isSuccess)
      if id == "filled" { #expect(try store("applydiff", "-f", archive("new", store), id).isSuccess) }
      #expect(try store("applydiff", "-f", archive("child", store), id).isSuccess)
      #expect(try state(id, store) == kept + ["kept"], "\(id)")
    }
  }
}
