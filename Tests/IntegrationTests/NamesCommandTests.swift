// SPDX-License-Identifier: Apache-2.0
import StowageTestSupport
import Testing

/// Names, metadata and existence (cli 19 and 26.12).
@Suite("Names and metadata") struct NamesCommandTests {
  @Test(.tags(.driver), arguments: Drivers.all) func `Names are added in front, moved from others and removed`(
    driver: String
  )
    throws
  {
    let store = try CommandStore(driver)
    try store("create-layer", "--id", "l5")
    try store("create-layer", "--id", "l6", "-n", "nm1")
    #expect(try store("get-names", "l5").shows())
    #expect(try store("get-names", "-j", "l5").shows("[]\n"))
    #expect(try store("set-names", "-j", "-n", "z1", "-n", "z2", "-n", "z1", "l5").shows("[\"z1\",\"z2\"]\n"))
    #expect(try store("add-names", "--json", "-n", "z3", "-n", "z1", "l5").shows("[\"z3\",\"z1\",\"z2\"]\n"))
    #expect(try store("addnames", "-n", "nm1", "l5", "ignored").shows())
    #expect(try store("getnames", "l5").shows("nm1\nz3\nz1\nz2\n"))
    #expect(try store("get-names", "-j", "l6").shows("[]\n"))
    #expect(try store("remove-names", "-j", "-n", "nosuch", "-n", "z1", "nm1").shows("[\"nm1\",\"z3\",\"z2\"]\n"))
    #expect(try store("removenames", "-n", "z2", "l5").shows())
    #expect(try store("setnames", "-j", "l5").shows("null\n"))
    for command in ["get-names", "add-names", "remove-names", "set-names"] {
      let words = command == "get-names" ? [command, "nope"] : [command, "-n", "x", "nope"]
      #expect(try store.run(words).shows(error: "layer not known\n", status: 1), "\(command)")
    }
  }

  @Test(.tags(.driver), arguments: Drivers.all) func `The history of an image's names begins with the newest`(
    driver: String
  )
    throws
  {
    let store = try CommandStore(driver)
    try store("create-image", "--id", "i", "-n", "cc")
    try store("set-names", "-n", "aa", "i")
    try store("set-names", "-n", "dd", "-n", "ee", "-n", "bb", "-n", "cc", "i")
    let json = try store("image", "-j", "i").normalized
    #expect(
      json.shows(
        "[{\"id\":\"i\",\"names\":[\"dd\",\"ee\",\"bb\",\"cc\"],"
          + "\"names-history\":[\"cc\",\"bb\",\"ee\",\"dd\",\"aa\"],\"created\":\"…\"}]\n"), "\(json)")
  }

  @Test(.tags(.driver), arguments: Drivers.all) func `Metadata is shown without its last line feed`(driver: String)
    throws
  {
    let store = try CommandStore(driver)
    try store("create-image", "--id", "i5", "-m", "notatar\n")
    try store("create-layer", "--id", "l1")
    try store("create-container", "--id", "c1", "-m", "{\"x\":\"<&>\"}", "")
    #expect(try store("metadata", "c1", "nope", "i5").shows("c1: {\"x\":\"<&>\"}\nnope: \ni5: notatar\n", status: 1))
    #expect(try store("metadata", "-q", "c1", "nope", "i5").shows("{\"x\":\"<&>\"}\n\nnotatar\n", status: 1))
    #expect(
      try store("metadata", "-j", "c1", "nope", "i5", "l1").shows(
        #"{"c1":"{\"x\":\"\u003c\u0026\u003e\"}","i5":"notatar","l1":""}"# + "\n", status: 1))
    #expect(try store("set-metadata", "-m", "hello", "l1").shows())
    #expect(try store("metadata", "l1").shows("l1: hello\n"))
    for words in [["l1"], ["-m", "", "l1"]] {
      #expect(try store.run(["set-metadata"] + words).shows(error: "no new metadata provided\n", status: 1))
    }
    #expect(
      try store("setmetadata", "-m", "x", "nope").shows(
        error: "identifier is not a layer, image, or container\n", status: 1))
    #expect(
      try store("set-metadata", "-m", "x", "-f", "/nonexistent", "l1").shows(
        error: "open /nonexistent: no such file or directory\n", status: 1))
    #expect(try store("set-metadata", "-m", "x", "-f", try store.file("empty", ""), "l1").shows())
    #expect(try store("metadata", "l1").shows("l1: \n"))
  }

  @Test(.tags(.driver), arguments: Drivers.all)
  func `The command exists tells of anything, kinds only count for the status`(driver: String)
    throws
  {
    let store = try CommandStore(driver)
    try store("create-layer", "--id", "l1", "-n", "both")
    try store("create-image", "--id", "i1", "-n", "both")
    #expect(try store("exists", "l1", "nope", "l1").shows("l1: true\nnope: false\n", status: 1))
    #expect(try store("exists", "-i", "l1").shows("l1: true\n", status: 1))
    #expect(try store("exists", "-l", "-i", "both").shows("both: true\n"))
    #expect(try store("exists", "-l", "-i", "-c", "both").shows("both: true\n", status: 1))
    #expect(try store("exists", "-j", "nope", "l1").shows("{\"l1\":true,\"nope\":false}\n", status: 1))
    #expect(try store("exists", "-q", "nope").shows(status: 1))
    #expect(try store("exists", "-q", "i1").shows())
  }
}
