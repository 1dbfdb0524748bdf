// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Containers, their items and mounts (cli 15, 16.6, 17.4, 20, 21).
@Suite("Container commands") struct ContainerCommandTests {
  private func makeStore(_ driver: String) throws -> CommandStore {
    let store = try CommandStore(driver)
    try store("create-layer", "--id", "l1")
    try store("create-image", "--id", "i1", "-n", "img:1", "l1")
    return store
  }

  @Test(.tags(.driver), arguments: Drivers.all)
  func `The command create-container makes containers of images and of nothing`(driver: String) throws {
    let store = try makeStore(driver)
    #expect(try store("create-container", "--id", "c1", "-n", "cname", "i1").shows("c1\n\tcname\n"))
    let volatile = try store(
      "create-container", "--json", "--id", "c2", "-n", "c2a", "-n", "c2b", "--volatile", "img:1"
    ).normalized
    #expect(
      volatile.shows(
        "{\"id\":\"c2\",\"names\":[\"c2a\",\"c2b\"],\"image\":\"i1\",\"layer\":\"<64>\",\"created\":\"…\","
          + "\"flags\":{\"MountLabel\":\"\",\"ProcessLabel\":\"\",\"Volatile\":true}}\n"), "\(volatile)")
    let bare = try store("createcontainer", "--json", "--id", "c4", "").normalized
    #expect(
      bare.shows(
        "{\"id\":\"c4\",\"image\":\"\",\"layer\":\"<64>\",\"created\":\"…\","
          + "\"flags\":{\"MountLabel\":\"\",\"ProcessLabel\":\"\"}}\n"
      ),
      "\(bare)")
    #expect(
      try store("create-container", "--id", "c3", "nope").shows(
        error: "locating image with ID \"nope\": image not known\n", status: 1))
    #expect(try store("create-container", "--id", "c1", "i1").shows(error: "that ID is already in use\n", status: 1))
    #expect(
      try store("create-container", "-n", "cname", "i1").shows(
        error: "the container name \"cname\" is already in use by c1. You have to remove that container to be able to "
          + "reuse that name: that name is already in use\n", status: 1))
    // Persistent ones first, then volatile ones, each in order of creation.
    #expect(try store("containers").shows("c1\n\tname: cname\nc4\nc2\n\tname: c2a\n\tname: c2b\n"))
  }

  @Test(.tags(.driver), arguments: Drivers.all) func `A taken container name leaves no layer`(driver: String) throws {
    let store = try makeStore(driver)
    try store("create-container", "--id", "c1", "-n", "n", "i1")
    let before = try store("layers", "-q").outputText
    #expect(try store("create-container", "-n", "n", "i1").status == .exited(1))
    #expect(try store("layers", "-q").outputText == before)
    #expect(try store("storage-layers").outputText.split(separator: "\n").count == 2)
  }

  @Test(.tags(.driver), arguments: Drivers.all) func `The command container shows one block per container found`(
    driver: String
  ) throws {
    let store = try makeStore(driver)
    try store("create-container", "--id", "c1", "-n", "cname", "i1")
    try store("set-container-data", "c1", "k1", input: Array("hello, world".utf8))
    let block = try store("container", "cname", "nope").normalized
    #expect(
      block.shows("ID: c1\nName: cname\nImage: i1\nImage name: img:1\nSize: 12\nLayer: <64>\nData: k1\n", status: 1),
      "\(block)")
    let layer = try #require(
      try store("container", "c1").outputText.split(separator: "\n").first { $0.hasPrefix("Layer: ") }?.dropFirst(7))
    #expect(try store("container", String(layer)).outputText.hasPrefix("ID: c1\n"))
  }

  @Test(.tags(.driver), arguments: Drivers.all) func `Items of containers are set, listed, read and refused`(
    driver: String
  ) throws {
    let store = try makeStore(driver)
    try store("create-container", "--id", "c1", "-n", "cname", "i1")
    #expect(try store("list-container-data", "-j", "c1").shows("null\n"))
    #expect(try store("set-container-data", "cname", "k1", input: Array("abc".utf8)).shows())
    #expect(try store("list-container-data", "c1").shows("k1\n"))
    #expect(try store("get-container-data", "c1", "k1").shows("abc"))
    #expect(try store("get-container-data-size", "c1", "k1").shows("3\n"))
    #expect(
      try store("get-container-data-digest", "c1", "k1").shows(
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n"))
    #expect(
      try store("get-container-data", "c1", "nok").shows(
        error: "open \(store.graphRoot)/\(driver)-containers/c1/nok: no such file or directory\n", status: 1))
    #expect(try store("get-container-data-size", "c1", "nok").shows(error: "size is not known\n", status: 1))
    #expect(try store("get-container-data", "nope", "k").shows(error: "container not known\n", status: 1))
    #expect(try store("get-container-dir", "nope").shows(error: "container not known\n", status: 1))
    #expect(
      try store("set-container-data", "c1", "").shows(
        error: "can't set empty name for container big data item: not a valid name for a big data item\n", status: 1))
    #expect(
      try store("get-container-dir", "cname").shows("\(store.graphRoot)/\(driver)-containers/c1/userdata\n"))
    #expect(
      try store("getcontainerrundir", "c1").shows("\(store.runRoot)/\(driver)-containers/c1/userdata\n"))
  }

  @Test func `Items of layers are set, listed, read and refused`() throws {
    let store = try makeStore("vfs")
    #expect(try store("list-layer-data", "-j", "l1").shows("null\n"))
    #expect(try store("set-layer-data", "l1", "k1", input: Array("abc".utf8)).shows())
    #expect(try store("get-layer-data", "l1", "k1").shows("abc"))
    #expect(try store("list-layer-data", "-j", "l1").shows("[\"k1\"]\n"))
    #expect(
      try store("get-layer-data", "l1", "nok").shows(
        error: "locating item named \"nok\" for layer with ID \"l1\": file does not exist\n", status: 1))
    #expect(try store("set-layer-data", "-f", "/nonexistent", "nope", "k").shows(error: "layer not known\n", status: 1))
    #expect(
      try store("set-layer-data", "-f", "/nonexistent", "l1", "").shows(
        error: "open /nonexistent: no such file or directory\n", status: 1))
    #expect(
      try store("set-layer-data", "l1", "").shows(
        error: "can't set empty name for layer big data item: not a valid name for a big data item\n", status: 1))
  }

  @Test(.tags(.root), .enabled(if: isRoot, "mounting needs root"))
  func `A plan of a mount shows path and steps, and mounts nothing`() throws {
    let store = try CommandStore("overlay")
    #expect(try store("create-layer", "--id", "base").isSuccess)
    #expect(try store("create-layer", "--id", "top", "base").isSuccess)
    let plan = try store("mount", "--dry-run", "top").outputText.split(separator: "\n")
    let home = "\(store.graphRoot)/overlay"
    #expect(plan.first == "\(home)/top/merged")
    #expect(
      plan.contains {
        $0.hasPrefix("  mount ") && $0.contains("\(home)/base/diff") && $0.contains("upperdir=\(home)/top/diff")
      },
      "\(plan)")
    #expect(try store("mounted", "top").shows())
    #expect(try store("mount", "top").isSuccess)
    #expect(try store("mount", "--dry-run", "top").shows("\(home)/top/merged\n  mounted already (count 1)\n"))
    #expect(try store("mount", "--dry-run", "nope").shows(error: "layer not known\n", status: 1))
    #expect(try store("unmount", "top").isSuccess)
    let json = try store("mount", "--dry-run", "--json", "base").outputText
    #expect(json.contains("\"mountpoint\":\"\(home)/base/merged\"") && json.contains("\"steps\":["))
  }

  @Test(.tags(.root, .driver), .enabled(if: isRoot, "mounting needs root"), arguments: Drivers.all)
  func `Mounts are counted`(driver: String) throws {
    let store = try makeStore(driver)
    try store("create-container", "--id", "c1", "i1")
    let layer = try #require(
      try store("container", "c1").outputText.split(separator: "\n").first { $0.hasPrefix("Layer: ") }?.dropFirst(7))
    let path = driver == "vfs" ? "\(store.graphRoot)/vfs/dir/\(layer)" : "\(store.graphRoot)/overlay/\(layer)/merged"
    #expect(try store("mounted", "c1", "l1").shows())
    #expect(try store("mount", "c1").shows(path + "\n"))
    #expect(
      try store("mount", "-j", "c1", "nope").shows(
        "[{\"id\":\"c1\",\"mountpoint\":\"\(path)\",\"error\":\"\"},"
          + "{\"id\":\"nope\",\"mountpoint\":\"\",\"error\":\"layer not known\"}]\n",
        status: 1))
    #expect(try store("mount", "nope").shows("\n", error: "layer not known while mounting nope\n", status: 1))
    #expect(
      try store("mounted", "c1", "nope").shows(
        "c1 mounted\n", error: "layer not known checking if nope is mounted\n", status: 1))
    #expect(
      try store("mounted", "-j", "c1", "nope").shows(
        "c1 mounted\n[{\"id\":\"c1\",\"error\":\"\"},{\"id\":\"nope\",\"error\":\"layer not known\"}]\n", status: 1))
    #expect(
      try store("shutdown").shows(error: "shutdown: a layer is mounted: layer is in use by a container\n", status: 1))
    #expect(try store("shutdown", "-j").outputText == "{}\n")
    #expect(try store("unmount", "c1").shows())
    #expect(try store("unmount", "c1").shows("c1 mountpoint unmounted\n"))
    #expect(try store("umount", "c1").shows("c1 mountpoint unmounted\n"))
    #expect(
      try store("unmount", "-j", "nope", "c1").shows(
        "c1 mountpoint unmounted\n[{\"id\":\"nope\",\"error\":\"layer not known\"},{\"id\":\"c1\",\"error\":\"\"}]\n",
        status: 1))
    #expect(try store("umount", "nope").shows(error: "layer not known while unmounting nope\n", status: 1))
    try store("mount", "c1")
    try store("mount", "c1")
    #expect(try store("unmount", "-f", "c1").shows("c1 mountpoint unmounted\n"))
    #expect(try store("shutdown", "-j").shows("\"\"\n"))
  }

  @Test(.tags(.root, .driver), .enabled(if: isRoot, "mounting needs root"), arguments: Drivers.all)
  func `Images mount read-only`(driver: String) throws {
    let store = try makeStore(driver)
    let mounted = try store("mount", "-r", "i1")
    #expect(mounted.status == .exited(0), "\(mounted)")
    #expect(mounted.outputText.hasPrefix(store.graphRoot + "/" + driver), "\(mounted)")
    #expect(
      try store("mount", "--read-only", "nope").shows(
        "\n", error: "locating image with ID \"nope\": image not known while mounting nope\n", status: 1))
    #expect(try store("unmount", "i1").shows())
  }

  @Test(.tags(.root, .driver), .enabled(if: isRoot, "mounting needs root"), arguments: Drivers.all)
  func `Shutdown with force unmounts and fails once`(driver: String) throws {
    let store = try makeStore(driver)
    try store("create-container", "--id", "c1", "i1")
    try store("mount", "c1")
    let text = "shutdown: a layer is mounted: layer is in use by a container\n"
    #expect(try store("shutdown", "-f").shows(error: text, status: 1))
    #expect(try store("mounted", "c1").shows())
    #expect(try store("shutdown", "-f").shows())
  }

  @Test(.tags(.driver), arguments: Drivers.all) func `The command delete-container reports each argument`(
    driver: String
  ) throws {
    let store = try makeStore(driver)
    for id in ["c4", "c5"] { try store("create-container", "--id", id, "i1") }
    #expect(try store("delete-container", "c5").shows())
    #expect(
      try store("delete-container", "-j", "nope", "c4").shows(
        "{\"c4\":\"\",\"nope\":\"identifier is not a container\"}\n", status: 1))
    #expect(try store("deletecontainer", "nope").shows(error: "nope: identifier is not a container\n", status: 1))
    #expect(try store("layers", "-q").shows("l1\n"))
  }

  @Test(.tags(.driver), arguments: Drivers.all) func `A container stays while an image or a layer is made of its layer`(
    driver: String
  ) throws {
    let store = try makeStore(driver)
    try store("create-container", "--id", "c1", "i1")
    let layer = try #require(
      try store("container", "c1").outputText.split(separator: "\n").first { $0.hasPrefix("Layer: ") }
    ).dropFirst(7)
    try store("create-image", "--id", "i2", String(layer))
    let refused = try store("delete-container", "c1")
    #expect(refused.status == .exited(1) && refused.errorText.contains("used by image i2"), "\(refused)")
    #expect(try store("exists", "-c", "c1").isSuccess)
    try store("delete-image", "--no-commit", "i2")
    #expect(try store("exists", "-c", "c1").isSuccess)
  }

  @Test(.tags(.root), .enabled(if: isRoot, "mounting needs root"))
  func `A whole tree is mounted although its parent's record is gone`() throws {
    let store = try makeStore("vfs")
    try store("create-container", "--id", "c1", "i1")
    try store.editRecords(of: "layers") { $0.replacing("\"id\":\"l1\"", with: "\"id\":\"other\"") }
    #expect(try store("mount", "c1").isSuccess)
  }

  @Test(.tags(.driver), arguments: Drivers.all) func `Both directories of a container go with it`(driver: String) throws
  {
    let store = try makeStore(driver)
    try store("create-container", "--id", "c1", "i1")
    var directories: [FilePath] = []
    for verb in ["get-container-dir", "get-container-run-dir"] {
      directories.append(FilePath(String(try store(verb, "c1").outputText.dropLast())))
    }
    #expect(directories.map(\.exists) == [true, true], "\(directories)")
    #expect(try store("delete-container", "c1").shows())
    #expect(directories.map(\.exists) == [false, false], "\(directories)")
  }
}
