// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Images and their items (cli 14, 16.5, 17.3, 20).
@Suite("Image commands") struct ImageCommandTests {
  private let manifestDigest = "sha256:e346432021b04179518d9614f3560ccd71354a4ee101ddcb893d6959a9d6301c"
  private let otherDigest = "sha256:" + String(repeating: "a", count: 64)

  @Test(.tags(.driver), arguments: Drivers.all) func `The command create-image prints the image or why not`(
    driver: String
  ) throws {
    let store = try CommandStore(driver)
    try store("create-layer", "--id", "x1")
    #expect(try store("create-image", "-n", "img:1", "--id", "i1", "x1").shows("i1\n\timg:1\n"))
    #expect(
      try store("create-image", "--id", "i1").shows(
        error: "an image with ID \"i1\" already exists: that ID is already in use\n", status: 1))
    #expect(
      try store("createimage", "-n", "img:1").shows(
        error: "image name \"img:1\" is already associated with image \"i1\": that name is already in use\n", status: 1)
    )
    #expect(try store("create-image", "nope").shows(error: "layer not known\n", status: 1))
    for (digest, text) in [("sha256:aaaa", "length"), ("bogus", "format")] {
      #expect(
        try store("create-image", "-d", digest, "x1").shows(
          error:
            "validating digests for new image: validating image digest \"\(digest)\": "
            + "invalid checksum digest \(text)\n",
          status: 1))
    }
    #expect(
      try store("create-image", "-f", "/nonexistent").shows(
        error: "open /nonexistent: no such file or directory\n", status: 1))
    let file = try store.file("metadata", "notatar\n")
    let json = try store("create-image", "-j", "--id", "i5", "-m", "less", "-f", file, "-d", otherDigest).normalized
    #expect(
      json.shows("{\"id\":\"i5\",\"digest\":\"sha256:<64>\",\"metadata\":\"notatar\\n\",\"created\":\"…\"}\n"),
      "\(json)")
    #expect(try store("images", "-q").shows("i1\ni5\n"))
    #expect(try store("create-image").normalized.shows("<64>\n"))
  }

  @Test(.tags(.driver), arguments: Drivers.all) func `Items appear in order, with sizes and digests`(driver: String)
    throws
  {
    let store = try CommandStore(driver)
    try store("create-image", "--id", "i1", "-n", "img:1")
    #expect(try store("list-image-data", "-j", "i1").shows("null\n"))
    let file = try store.file("manifest.json", "{\"a\":1}\n")
    #expect(try store("set-image-data", "-f", file, "i1", "manifest").shows())
    #expect(try store("setimagedata", "img:1", "key/odd", input: Array("abc".utf8)).shows())
    #expect(try store("list-image-data", "i1").shows("manifest\nkey/odd\n"))
    #expect(try store("listimagedata", "-j", "i1").shows("[\"manifest\",\"key/odd\"]\n"))
    #expect(try store("get-image-data", "i1", "manifest").shows("{\"a\":1}\n"))
    #expect(try store("get-image-data", "i1", "key/odd").shows("abc"))
    #expect(try store("get-image-data-size", "i1", "manifest").shows("8\n"))
    #expect(try store("get-image-data-digest", "i1", "manifest").shows(manifestDigest + "\n"))
    let out = store.directory.appending("out")
    #expect(try store("getimagedata", "-f", out.string, "i1", "manifest").shows())
    #expect(try out.readText() == "{\"a\":1}\n")
    #expect(
      try store("images").shows("i1\n\tname: img:1\n\tdigest: \(manifestDigest)\n\tdata: manifest\n\tdata: key/odd\n"))
    #expect(
      try store("image", "i1", "nope").shows(
        "ID: i1\nName: img:1\nTop Layer: \nDigest: \(manifestDigest)\nData: manifest\nData: key/odd\nSize: 11\n",
        status: 1))
  }

  @Test func `Items that are not there are named in the error`() throws {
    let store = try CommandStore("vfs")
    try store("create-image", "--id", "i1")
    let unknown = "locating image with ID \"nope\": image not known\n"
    for words in [
      ["list-image-data", "nope"], ["get-image-data", "nope", "k"], ["get-image-data-size", "nope", "k"],
      ["get-image-data-digest", "nope", "k"], ["set-image-data", "-f", "/nonexistent", "nope", "k"],
    ] {
      let result = try store.run(words)
      #expect(result.shows(error: unknown, status: 1), "\(words) \(result)")
    }
    let get = try store("get-image-data", "i1", "nope")
    #expect(
      get.shows(
        error:
          "locating item named \"nope\" for image with ID \"i1\" (consider removing the image to resolve the issue): "
          + "file does not exist\n", status: 1), "\(get)")
    #expect(try store("get-image-data-size", "i1", "nope").shows(error: "size is not known\n", status: 1))
    #expect(
      try store("get-image-data-digest", "i1", "nope").shows(error: "could not compute digest of item\n", status: 1))
    let empty = try store("set-image-data", "i1", "")
    #expect(
      empty.shows(
        error: "can't set empty name for image big data item: not a valid name for a big data item\n", status: 1),
      "\(empty)")
    #expect(
      try store("set-image-data", "-f", "/nonexistent", "i1", "k").shows(
        error: "open /nonexistent: no such file or directory\n", status: 1))
  }

  @Test func `The command images-by-digest checks the digest first`() throws {
    let store = try CommandStore("vfs")
    try store("create-image", "--id", "i5", "-d", otherDigest)
    #expect(try store("images-by-digest", otherDigest).shows("i5\n\tdigest: \(otherDigest)\n"))
    #expect(try store("images-by-digest", "-q", otherDigest).shows("i5\n"))
    #expect(try store("images-by-digest", "-j", "sha256:" + String(repeating: "b", count: 64)).shows("[]\n"))
    #expect(try store("images-by-digest", "bogus").shows(error: "invalid checksum digest format\n", status: 1))
    #expect(try store("images-by-digest", "sha256:zz").shows(error: "invalid checksum digest length\n", status: 1))
    #expect(try store("images-by-digest", "foo:aa").shows(error: "unsupported digest algorithm\n", status: 1))
  }

  @Test(.tags(.driver), arguments: Drivers.all) func `The command delete-image removes what only it used`(
    driver: String
  ) throws {
    let store = try CommandStore(driver)
    try store("create-layer", "--id", "base")
    try store("create-layer", "--id", "mid", "base")
    try store("create-layer", "--id", "top", "mid")
    try store("create-image", "--id", "i0", "base")
    try store("create-image", "--id", "i1", "-n", "one", "top")
    try store("create-container", "--id", "c2", "i1")
    #expect(
      try store("delete-image", "i1").shows(
        error: "i1: image used by c2: image is in use by a container\n", status: 1))
    #expect(
      try store("delete-image", "-j", "i1", "nope").shows(
        "{\"i1\":{\"error\":\"image used by c2: image is in use by a container\"},"
          + "\"nope\":{\"error\":\"identifier is not an image\"}}\n", status: 1))
    #expect(try store("delete-container", "c2").shows())
    #expect(try store("delete-image", "-t", "one").shows(error: "one: top\none: mid\n"))
    #expect(try store("deleteimage", "-t", "-j", "i1").shows("{\"i1\":{\"deleted-layers\":[\"top\",\"mid\"]}}\n"))
    #expect(try store("images", "-q").shows("i0\ni1\n"))
    #expect(try store("delete-image", "i1").shows(error: "i1: top\ni1: mid\n"))
    #expect(try store("layers", "-q").shows("base\n"))
    try store("create-image", "--id", "i9")
    #expect(try store("delete-image", "-j", "i9").shows("{\"i9\":{}}\n"))
  }

  @Test(.tags(.driver), arguments: Drivers.all) func `Directories of images are made for known images`(driver: String)
    throws
  {
    let store = try CommandStore(driver)
    try store("create-image", "--id", "i1", "-n", "img:1")
    let directory = "\(store.graphRoot)/\(driver)-images/i1/userdata"
    #expect(try store("get-image-dir", "i1").shows(directory + "\n"))
    #expect(try store("getimagerundir", "img:1").shows("\(store.runRoot)/\(driver)-images/i1/userdata\n"))
    #expect(FilePath(directory).exists)
  }

  @Test func `The command get-image-dir refuses unknown images`() throws {
    let store = try CommandStore("vfs")
    for argument in ["nope", "../../x"] {
      let result = try store("get-image-dir", argument)
      #expect(
        result.status == .exited(1) && result.outputText.isEmpty && result.errorText.hasSuffix("image not known\n"),
        "\(result)")
      #expect(try store("get-image-run-dir", argument).status == .exited(1))
    }
    #expect(!store.directory.appending("x").exists)
  }
}
