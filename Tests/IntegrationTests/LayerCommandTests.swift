// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Layers: creating, listing, examining, deleting (cli 13, 16.1–16.4, 17).
@Suite("Layer commands") struct LayerCommandTests {
  @Test(.tags(.driver), arguments: Drivers.all)
  func `An empty store lists as null, and examining finds an empty list`(driver: String) throws {
    let store = try CommandStore(driver)
    #expect(try store("layers").shows())
    #expect(try store("layers", "-t").shows())
    #expect(try store("layers", "-j").shows("null\n"))
    #expect(try store("images", "-j").shows("null\n"))
    #expect(try store("containers", "-j").shows("[]\n"))
    #expect(try store("storage-layers", "-j").shows("[]\n"))
    #expect(try store("layer", "-j", "x").shows("[]\n", status: 1))
    #expect(try store("layer", "x").shows(status: 1))
    #expect(try store("image", "x").shows(status: 1))
    #expect(try store("container", "-j", "x").shows("[]\n", status: 1))
  }

  @Test(.tags(.driver), arguments: Drivers.all) func `The command create-layer prints identifier and names`(
    driver: String
  ) throws {
    let store = try CommandStore(driver)
    let json = try store("create-layer", "--json", "-n", "nm1", "-n", "nm2", "--id", "l1").normalized
    #expect(json.shows("{\"id\":\"l1\",\"names\":[\"nm1\",\"nm2\"],\"created\":\"…\"}\n"), "\(json)")
    #expect(try store("create-layer", "--id", "l2", "-n", "nx", "l1").shows("l2\n\tnx\n"))
    #expect(try store("create-layer").normalized.shows("<64>\n"))
    #expect(try store("create-layer", "--id", "l1").shows(error: "that ID is already in use\n", status: 1))
    #expect(try store("create-layer", "-n", "nm1").shows(error: "that name is already in use\n", status: 1))
    #expect(try store("create-layer", "--id", "l3", "nope").shows(error: "layer not known\n", status: 1))
    #expect(try store("createlayer", "--id", "l4", "-r", "-l", "label", "nm1").shows("l4\n"))
    let labelled = try store("layer", "-j", "l4").normalized
    #expect(
      labelled.shows("[{\"id\":\"l4\",\"parent\":\"l1\",\"mountlabel\":\"label\",\"created\":\"…\"}]\n"), "\(labelled)")
  }

  @Test func `Strings in JSON are escaped as the reference escapes them`() throws {
    let store = try CommandStore("vfs")
    let name = "a<b>&\t\u{1}\u{8}\u{c}\u{7f}\"\\\u{2028}é"
    let result = try store("create-layer", "-j", "--id", "e", "-n", name).normalized
    let escaped = #"a\u003cb\u003e\u0026\t\u0001\b\f"# + "\u{7f}" + #"\"\\\u2028é"#
    #expect(result.shows("{\"id\":\"e\",\"names\":[\"\(escaped)\"],\"created\":\"…\"}\n"), "\(result)")
  }

  @Test func `ID maps are recorded and shown`() throws {
    let store = try CommandStore("vfs")
    let map = ["--uidmap", "0:100000:65536", "--gidmap", "0:100000:65536"]
    #expect(try store.run(["create-layer", "--id", "l4"] + map).shows("l4\n"))
    #expect(
      try store("layer", "l4").shows(
        """
        ID: l4
        UID mapping: (container=0, host=100000, size=65536)
        GID mapping: (container=0, host=100000, size=65536)

        """))
    let json = try store("layer", "-j", "l4").normalized
    let range = "[{\"container_id\":0,\"host_id\":100000,\"size\":65536}]"
    #expect(json.shows("[{\"id\":\"l4\",\"created\":\"…\",\"uidmap\":\(range),\"gidmap\":\(range)}]\n"), "\(json)")
  }

  @Test(arguments: [
    (
      ["--uidmap", "0:1:a"],
      "initializing ID mappings: uid setting is malformed expected [\"uint32:uint32:uint32\"]: [\"0:1:a\"]"
    ),
    (
      ["--gidmap", "0:1"],
      "initializing ID mappings: gid setting is malformed expected [\"uint32:uint32:uint32\"]: [\"0:1\"]"
    ),
    (
      ["--uidmap", "0:1:4294967296"],
      "initializing ID mappings: uid setting is malformed expected [\"uint32:uint32:uint32\"]: [\"0:1:4294967296\"]"
    ),
    (
      ["--uidmap", ":::"],
      "initializing ID mappings: uid setting is malformed expected [\"uint32:uint32:uint32\"]: [\":::\"]"
    ),
    (
      ["--uidmap", "0:1:+5"],
      "initializing ID mappings: uid setting is malformed expected [\"uint32:uint32:uint32\"]: [\"0:1:+5\"]"
    ),
    (["--hostuidmap", "--uidmap", "0:1:1"], "host uid map specified along with UID mapping"),
    (["--hostgidmap", "--subgidmap", "nobodyx"], "host gid map specified along with GID mapping"),
    (["--subuidmap", "nobodyx"], "no subuid ranges found for user \"nobodyx\" in /etc/subuid"),
    (["--hostgidmap", "--subuidmap", "nobodyx"], "no subuid ranges found for user \"nobodyx\" in /etc/subuid"),
  ])
  func `Malformed ID maps are refused in the reference's words`(options: [String], text: String) throws {
    let store = try CommandStore("vfs")
    for command in [["create-layer"], ["create-storage-layer"]] {
      let result = try store.run(command + options)
      #expect(result.shows(error: text + "\n", status: 1), "\(result)")
    }
    #expect(try store.run(["create-container"] + options + [""]).shows(error: text + "\n", status: 1))
  }

  @Test(.tags(.driver), arguments: Drivers.all) func `The command layers lists the users of each layer`(driver: String)
    throws
  {
    let store = try CommandStore(driver)
    try makeFamily(store)
    let list = try store("layers").normalized
    let text = """
      l1
      \tname: nm1
      \tname: nm2
      l2
      \tname: nx
      imp1
      \tname: imported
      \timage: i1
      \t\tname: img:1
      <64>
      \tcontainer: c1
      \t\tname: cname
      lro

      """
    #expect(list.shows(text), "\(list)")
    #expect(try store("layers", "-q").normalized.shows("l1\nl2\nimp1\n<64>\nlro\n"))
    let tree = try store("layers", "-tq").normalized
    #expect(
      tree.shows(
        """
        (base)
        └─l1
          name: nm1
          name: nm2
          ├─l2
          │ name: nx
          │ └─imp1
          │   name: imported
          │   image: i1
          │   image name: img:1
          │   └─<64>
          │     container: c1
          │     container name: cname
          └─lro

        """), "\(tree)")
    let json = try store("layers", "-tj")
    #expect(json.outputText.hasPrefix("[{\"id\":\"l1\","))
  }

  @Test func `An orphan is drawn below its missing parent`() throws {
    let store = try CommandStore("vfs")
    for words in [["--id", "l1"], ["--id", "lx", "l1"], ["--id", "lro", "lx"], ["--id", "l4"], ["--id", "imp6"]] {
      try store.run(["create-layer"] + words)
    }
    #expect(try store("delete", "lx").shows())
    #expect(try store("layers", "-t").shows("lx\n└─lro\n(base)\n├─l1\n├─l4\n└─imp6\n"))
  }

  @Test func `The command layer leaves out what it does not find`() throws {
    let store = try CommandStore("vfs")
    try store("create-layer", "--id", "abcdef01", "-n", "n")
    try store("create-layer", "--id", "abcdef02", "abcdef01")
    #expect(
      try store("layer", "abcdef02", "nope", "n").shows(
        "ID: abcdef02\nParent: abcdef01\nID: abcdef01\nName: n\n", status: 1))
    #expect(try store("layer", "abcdef0").shows(status: 1))
    #expect(try store("layer", "abcdef01").shows("ID: abcdef01\nName: n\n"))
  }

  @Test(.tags(.driver), arguments: Drivers.all) func `The command delete-layer refuses layers that are used`(
    driver: String
  ) throws {
    let store = try CommandStore(driver)
    try makeFamily(store)
    let containerLayer = try containerLayer(store)
    let childError = "l1: used by layer l2: layer has children\n"
    #expect(try store("delete-layer", "l1").shows(error: childError, status: 1))
    #expect(try store("delete-layer", "nm1").shows(error: "nm1: used by layer l2: layer has children\n", status: 1))
    #expect(try store("deletelayer", "nope").shows(error: "nope: identifier is not a layer\n", status: 1))
    #expect(
      try store("delete-layer", containerLayer).shows(
        error: "\(containerLayer): layer \(containerLayer) used by container c1: layer is in use by a container\n",
        status: 1))
    #expect(
      try store("delete-layer", "-j", "imp1", "nope").shows(
        "{\"imp1\":\"used by layer \(containerLayer): layer has children\",\"nope\":\"identifier is not a layer\"}\n",
        status: 1))
    #expect(try store("delete-container", "c1").shows())
    #expect(
      try store("delete-layer", "imp1").shows(
        error: "imp1: layer imp1 used by image i1: layer is in use by an image\n", status: 1))
    #expect(try store("delete-layer", "lro").shows())
    #expect(try store("layers", "-q").shows("l1\nl2\nimp1\n"))
  }

  @Test(.tags(.driver), arguments: Drivers.all)
  func `The command delete removes anything and reports each argument once`(driver: String) throws {
    let store = try CommandStore(driver)
    try makeFamily(store)
    #expect(
      try store("delete", "-j", "nope", "i1", "c1").shows(
        "{\"c1\":\"\",\"i1\":\"\",\"nope\":\"layer not known\"}\n", status: 1))
    #expect(try store("delete", "lro", "lro").shows(error: "lro: layer not known\n", status: 1))
    #expect(try store("layers", "-q").shows("l1\nl2\nimp1\n"))
    #expect(try store("wipe", "-j").shows("\"\"\n"))
    #expect(try store("layers", "-j").shows("null\n"))
    #expect(try store("storage-layers").shows())
  }

  @Test(.tags(.driver), arguments: Drivers.all)
  func `The command create-storage-layer makes a layer without record`(driver: String) throws {
    let store = try CommandStore(driver)
    #expect(try store("create-storage-layer", "--id", "s1").shows("s1\n"))
    #expect(try store("create-storage-layer", "--id", "s2", "-j", "s1").shows("\"s2\"\n"))
    #expect(try store("storage-layers").shows("s1\ns2\n"))
    #expect(try store("storage-layers", "-j").shows("[\"s1\",\"s2\"]\n"))
    #expect(try store("layers", "-j").shows("null\n"))
    #expect(try store("create-storage-layer", "--id", "s3", "nope").status == .exited(1))
    #expect(try store("wipe").shows())
    #expect(try store("storage-layers").shows())
  }

  /// The family of cli 13.1: l1 ← l2 ← imp1 (image i1, container c1), l1 ← lro.
  private func makeFamily(_ store: CommandStore) throws {
    try store("create-layer", "--id", "l1", "-n", "nm1", "-n", "nm2")
    try store("create-layer", "--id", "l2", "-n", "nx", "l1")
    #expect(
      try store("import-layer", "--id", "imp1", "-n", "imported", "-f", fixture("samples/l3.tar.zst").string, "l2")
        .shows("imp1\n\timported\n"))
    #expect(try store("create-image", "--id", "i1", "-n", "img:1", "imp1").shows("i1\n\timg:1\n"))
    #expect(try store("create-container", "--id", "c1", "-n", "cname", "img:1").shows("c1\n\tcname\n"))
    #expect(try store("create-layer", "-r", "--id", "lro", "l1").shows("lro\n"))
  }

  private func containerLayer(_ store: CommandStore) throws -> String {
    let lines = try store("container", "c1").outputText.split(separator: "\n")
    let line = try #require(lines.first { $0.hasPrefix("Layer: ") })
    return String(line.dropFirst("Layer: ".count))
  }
}
