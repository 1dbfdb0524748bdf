// SPDX-License-Identifier: Apache-2.0

import StowageConfig
import StowageModel
import Testing

/// The samples of configuration-and-idmaps 20, with the output the reference gave.
@Suite("Sample configurations") struct SampleConfigurationTests {
  private static let roots = "driver = \"overlay\"\ngraphroot = \"/srv/demo/g\"\nrunroot = \"/srv/demo/r\"\n"
  private static let prefix = #"{"runroot":"/srv/demo/r","root":"/srv/demo/g","#

  @Test func `Without files the system directories are the default`() throws {
    let scratch = try Scratch()
    #expect(
      scratch.json(try scratch.load())
        == #"{"runroot":"/run/containers/storage","root":"/var/lib/containers/storage","PullOptions":null}"#)
  }

  @Test(arguments: [
    (
      "\n[storage.options.overlay]\nmountopt = \"nodev\"\n",
      #""driver":"overlay","driver-options":["overlay.mountopt=nodev"],"PullOptions":null}"#
    ),
    ("imagestore = \"/srv/demo/i\"\n", #""imagestore":"/srv/demo/i","driver":"overlay","PullOptions":null}"#),
    (
      "[storage.options]\nadditionalimagestores = [\"/srv/demo/ro1\", \"/srv/demo/ro2\"]\n",
      #""driver":"overlay","driver-options":["imagestore=/srv/demo/ro1","imagestore=/srv/demo/ro2"],"PullOptions":null}"#
    ),
    (
      "[storage.options]\nadditionallayerstores = [\"/srv/demo/als:ref\"]",
      #""driver":"overlay","driver-options":["additionallayerstore=/srv/demo/als:ref"],"PullOptions":null}"#
    ),
    (
      "[storage.options.pull_options]\nenable_partial_images = \"true\"\nconvert_images = \"true\"\n"
        + "[storage.options.overlay]\nuse_composefs = \"true\"\n",
      #""driver":"overlay","driver-options":["overlay.use_composefs=true"],"#
        + #""PullOptions":{"convert_images":"true","enable_partial_images":"true"}}"#
    ),
    ("transient_store = true\n", #""driver":"overlay","PullOptions":null,"transient_store":true}"#),
  ])
  func `The samples give the reference's options`(text: String, expected: String) throws {
    let scratch = try Scratch()
    let options = try scratch.load(file: "[storage]\n" + Self.roots + text)
    #expect(scratch.json(options) == Self.prefix + expected)
  }

  @Test func `The rootless path is for ordinary users only`() throws {
    let scratch = try Scratch()
    try scratch.write(
      "etc/containers/storage.conf", "[storage]\ndriver = \"vfs\"\nrootless_storage_path = \"$HOME/rsp/$UID\"\n")
    scratch.makeDirectory("run/user/1500")
    let user = try scratch.load(["XDG_RUNTIME_DIR": scratch.path + "/run/user/1500"], uid: 1500, rootless: true)
    #expect(user.graphRoot == scratch.path + "/home/rsp/1500")
    #expect(user.runRoot == scratch.path + "/run/user/1500/containers")
    let root = try scratch.load()
    #expect(root.graphRoot == "/var/lib/containers/storage")
    #expect(root.driverName == "vfs")
    // Root without full rights still uses the system's directories.
    #expect(try scratch.load(uid: 0, rootless: true).runRoot == "/run/containers/storage")
  }

  @Test func `Ordinary users have their store at home`() throws {
    let scratch = try Scratch()
    let variables = ["XDG_RUNTIME_DIR": scratch.path]
    #expect(
      try scratch.load(variables, uid: 1500, rootless: true).graphRoot
        == scratch.path + "/home/.local/share/containers/storage")
    #expect(
      try scratch.load(variables.merging(["XDG_DATA_HOME": "/data"]) { $1 }, uid: 1500, rootless: true).graphRoot
        == "/data/containers/storage")
    let error = #expect(throws: StorageError.self) {
      try scratch.load(["XDG_RUNTIME_DIR": scratch.path + "/none"], uid: 1500, rootless: true)
    }
    #expect(error?.message == "lstat \(scratch.path)/none: no such file or directory")
  }
}
