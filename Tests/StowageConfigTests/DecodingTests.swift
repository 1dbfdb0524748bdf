// SPDX-License-Identifier: Apache-2.0

import StowageConfig
import StowageModel
import Testing

@Suite("Values of storage.conf") struct DecodingTests {
  @Test func `Keys match in either case, and unknown ones are ignored`() throws {
    let scratch = try Scratch()
    let options = try scratch.load(
      file:
        "foo = 1\n[Storage]\nGraphRoot = \"/g\"\nDRIVER='vfs'\n[storage2]\nx = 2024-01-01\n[Storage.options.aufs]\na = 1\n"
    )
    #expect(options.graphRoot == "/g")
    #expect(options.driverName == "vfs")
  }

  @Test(arguments: [
    ("[storage]\nruntroot", 2, 9, "expected '=' after a key"),
    ("[storage\n", 1, 9, "expected ']'"),
    (
      "[storage]\ndriver = 1\n", 2, 10,
      #"(last key "storage.driver"): incompatible types: TOML value has type int64; destination has type string"#
    ),
    ("[storage.options]\nsize = 1\n", 2, 8, #"(last key "storage.options.size"): incompatible types"#),
    (
      "[storage.options]\nauto-userns-min-size = -1\n", 2, 24,
      #"(last key "storage.options.auto-userns-min-size"): -1 is out of range for uint32"#
    ),
    ("[storage]\n\ttransient_store=\"true\"\n", 2, 18, #"(last key "storage.transient_store")"#),
    ("[storage.options]\nforce_mask = \"755\"\n", 2, 14, #"(last key "storage.options.force_mask")"#),
    ("[storage]\ndriver = \"a\"\ndriver = \"b\"\n", 3, 1, "key 'driver' has already been defined"),
    (
      "[storage]\ndriver_priority = \"a\"\n", 2, 19,
      #"(last key "storage.driver_priority"): unable to cast to interface array: a"#
    ),
    ("[storage]\ndriver_priority = ['a',\n 1]\n", 3, 2, "unsupported item in attributed string slice: 1"),
    ("[storage]\ndriver_priority = [{foo = true}]\n", 2, 21, #"unsupported key "foo" in map: map[foo:true]"#),
    ("[storage]\ndriver_priority = [{append = \"x\"}]\n", 2, 30, "unable to cast append to bool: append"),
    ("[storage.options]\npull_options = 1\n", 2, 16, #"(last key "storage.options.pull_options")"#),
    ("[storage.options.pull_options]\na = true\n", 2, 5, #"(last key "storage.options.pull_options.a")"#),
    ("[storage.options.overlay]\nsync = 3\n", 2, 8, #"(last key "storage.options.overlay.sync")"#),
    ("[[storage]]\n", 1, 3, #"(last key "storage"): incompatible types: TOML value has type array"#),
    ("storage = 1\n", 1, 11, #"(last key "storage")"#),
    ("a = \"\u{1}\"", 1, 6, "control character in a string"),
  ])
  func `Bad files are refused with path, line and column`(text: String, line: Int, column: Int, part: String) throws {
    let scratch = try Scratch()
    let error = #expect(throws: StorageError.self) { try scratch.load(file: text) }
    let place = #"decode configuration "\#(scratch.path)/c.conf": toml: line \#(line), column \#(column)"#
    #expect(error?.message.hasPrefix(place) == true, "\(error?.message ?? "")")
    #expect(error?.message.contains(part) == true, "\(error?.message ?? "")")
    #expect(error?.code == .configuration)
  }

  @Test func `Append is sticky across files`() throws {
    let scratch = try Scratch()
    let directory = "etc/containers/storage.conf.d/"
    try scratch.write(directory + "1.conf", "[storage]\ndriver_priority = [\"a\",{append=true}]\n")
    try scratch.write(directory + "2.conf", "[storage]\ndriver_priority = [\"b\"]\n")
    try scratch.write(directory + "4.conf", "[storage]\ndriver_priority = [\"d\"]\n")
    #expect(try scratch.load().driverPriority == ["a", "b", "d"])
    try scratch.write(directory + "3.conf", "[storage]\ndriver_priority = [\"c\",{append=false}]\n")
    #expect(try scratch.load().driverPriority == ["d"])
    try scratch.write(directory + "5.conf", "[storage]\ndriver_priority = [{append=false}]\n")
    #expect(try scratch.load().driverPriority == [])
  }

  @Test func `Later files win, also with empty values, and merge tables`() throws {
    let scratch = try Scratch()
    try scratch.write(
      "etc/containers/storage.conf",
      "[storage]\ndriver = \"vfs\"\ntransient_store = true\n[storage.options]\nsize = \"1\"\nforce_mask = 0o755\n"
        + "[storage.options.pull_options]\na = \"1\"\nb = \"2\"\n")
    try scratch.write(
      "etc/containers/storage.conf.d/1.conf",
      "[storage]\ndriver = \"\"\ntransient_store = false\n[storage.options.pull_options]\nb = \"3\"\n"
        + "[storage.options.overlay]\nforce_mask = \"private\"\nsize = \"2\"\n[storage.options.vfs]\nsync = \"none\"\n"
        + "[storage.options.btrfs]\nmin_space = \"1G\"\n[storage.options.zfs]\nfsname = \"z\"\n")
    let options = try scratch.load()
    #expect(options.driverName == "")
    #expect(!options.transientStore)
    #expect(options.pullOptions == ["a": "1", "b": "3"])
    #expect(
      options.driverOptions == [
        "size=1", "force_mask=755", "btrfs.min_space=1G", "overlay.size=2", "overlay.force_mask=private",
        "vfs.sync=none", "zfs.fsname=z",
      ])
  }

  @Test func `All generic options come in the reference's order`() throws {
    let scratch = try Scratch()
    let options = try scratch.load(
      file: """
        [storage.options]
        mountopt = "nodev,metacopy=on"
        ignore_chown_errors = "true"
        force_mask = 448
        skip_mount_home = "false"
        mount_program = "/bin/f"
        size = "10G"
        additionallayerstores = ["/l"]
        additionalimagestores = [
          "/i1",  # one
          '/i2',
        ]
        root-auto-userns-user = "u"
        auto-userns-min-size = 5
        auto-userns-max-size = 6
        disable-volatile = true
        pin_layers = true
        imagestore = "/ignored"
        use_composefs = "true"
        """)
    #expect(
      options.driverOptions == [
        "imagestore=/i1", "imagestore=/i2", "additionallayerstore=/l", "size=10G", "mount_program=/bin/f",
        "skip_mount_home=false", "ignore_chown_errors=true", "force_mask=700", "mountopt=nodev,metacopy=on",
      ])
    #expect(options.imageStore == "")
    #expect(options.pinsLayers)
    #expect(
      scratch.json(options).hasSuffix(
        #""root_auto_ns_user":"u","auto_userns_min_size":5,"auto_userns_max_size":6,"PullOptions":null,"disable-volatile":true}"#
      ))
  }

  @Test func `The environment changes driver and options`() throws {
    let scratch = try Scratch()
    let text = "[storage]\ndriver = \"vfs\"\n[storage.options]\nsize = \"1\"\n"
    #expect(try scratch.load(file: text, ["STORAGE_DRIVER": "overlay2"]).driverName == "overlay")
    #expect(try scratch.load(file: text, ["STORAGE_DRIVER": ""]).driverName == "vfs")
    #expect(try scratch.load(file: text, ["STORAGE_OPTS": ""]).driverOptions == [])
    #expect(try scratch.load(file: text, ["STORAGE_OPTS": "a=b,c=d"]).driverOptions == ["a=b", "c=d"])
  }

  @Test(arguments: [
    ("/a/${UID}/x", "/a/x"), ("/a/$UID/x", "/a/0/x"), ("/a/$UIDX", "/a/0X"), ("/$NAME/y", "/value/y"),
    ("/${NAME}/y", "/value/y"), ("/a${}b", "/ab"), ("/a$$b", "/ab"), ("/a$*b$1c", "/abc"), ("/a/../b//c/", "/b/c"),
    ("/a${b", "/ab"), ("/x$", "/x$"), ("/x$/y", "/x$/y"), ("/../..//z/.", "/z"),
  ])
  func `Paths are expanded`(text: String, expected: String) throws {
    let scratch = try Scratch()
    let options = try scratch.load(file: "[storage]\nrunroot = \"\(text)\"\n", ["NAME": "value"])
    #expect(options.runRoot == expected)
  }

  @Test func `Links in existing paths are resolved`() throws {
    let scratch = try Scratch()
    scratch.makeDirectory("real/sub")
    scratch.link("link", to: "real")
    scratch.link("loop", to: "loop")
    #expect(
      try scratch.load(file: "[storage]\ngraphroot = \"\(scratch.path)/link/sub/../sub\"\n").graphRoot
        == scratch.path + "/real/sub")
    #expect(
      try scratch.load(file: "[storage]\ngraphroot = \"\(scratch.path)/link/none\"\n").graphRoot
        == scratch.path + "/link/none")
    #expect(
      try scratch.load(file: "[storage]\ngraphroot = \"\(scratch.path)/loop\"\n").graphRoot
        == scratch.path + "/loop")
  }

  @Test func `The image store must differ from the graph root`() throws {
    let scratch = try Scratch()
    let error = #expect(throws: StorageError.self) {
      try scratch.load(file: "[storage]\ngraphroot = \"/g\"\nimagestore = \"/g\"\n")
    }
    #expect(
      error?.message == "imagestore /g must either be not set or be different than graphroot "
        + "(imagestore: \(scratch.path)/c.conf:3:14, graphroot: \(scratch.path)/c.conf:2:13)")
    // The same place by another name, where the reference waits for itself for ever.
    scratch.makeDirectory("real")
    scratch.link("link", to: "real")
    let text = "[storage]\ngraphroot = \"\(scratch.path)/real\"\nimagestore = \"\(scratch.path)/link\"\n"
    let linked = #expect(throws: StorageError.self) { try scratch.load(file: text) }
    #expect(
      linked?.message.hasPrefix(
        "imagestore \(scratch.path)/link must either be not set or be different than graphroot (") == true)
  }

  @Test func `All kinds of TOML strings and dotted keys are read`() throws {
    let scratch = try Scratch()
    let options = try scratch.load(
      file: "storage.driver = \"v\\u0066s\" # c\nstorage.graphroot = '''/g'''\nstorage.runroot = \"\"\"\n/r\"\"\"\n"
        + "storage.options = { size = '1', overlay = { mountopt = \"x\" } }\n")
    #expect(options.driverName == "vfs")
    #expect(options.graphRoot == "/g")
    #expect(options.runRoot == "/r")
    #expect(options.driverOptions == ["size=1", "overlay.mountopt=x"])
  }

  @Test func `Keys with NUL do not trap`() throws {
    let scratch = try Scratch()
    #expect(try scratch.load(file: "\"a\\u0000b\" = 1\n[storage]\n\"driver\\u0000\" = 'x'\n").driverName == "")
  }

  @Test(arguments: 0..<40)
  func `Damaged files are read or refused`(seed: UInt64) throws {
    let scratch = try Scratch()
    var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 7
    func next(_ limit: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(limit))
    }
    let source = Array(
      "[storage]\ndriver='a'\ndriver_priority=[\"x\",{append=true}]\n[storage.options]\nforce_mask=0o7\n".utf8)
    for _ in 0..<25 {
      var bytes = source
      for _ in 0...next(3) { bytes[next(bytes.count)] = Array("[]{}=\"'#.\n 0x,\\u\u{7F}é".utf8)[next(18)] }
      do { _ = try scratch.load(file: String(decoding: bytes, as: UTF8.self)) } catch let error as StorageError {
        #expect(error.code == .configuration, "seed \(seed)")
      }
    }
  }

  @Test(arguments: ["$HOME/i", "~/i", "i", "./i", "../i", "/data/$USER/i", "/data/${USER}/i"])
  func `An image store that is no whole path is refused with its place`(value: String) throws {
    let scratch = try Scratch()
    let error = #expect(throws: StorageError.self) {
      try scratch.load(file: "[storage]\ngraphroot = \"/g\"\nimagestore = \"\(value)\"\n")
    }
    #expect(error?.code == .configuration)
    #expect(error?.message.hasPrefix("imagestore \"\(value)\" ") == true)
    #expect(error?.message.hasSuffix("write the whole path (\(scratch.path)/c.conf:3:14)") == true)
  }

  @Test(arguments: ["~/g", "g", "./g"], ["graphroot", "runroot"])
  func `A root that is no whole path after the replacement of variables is refused`(value: String, key: String) throws {
    let scratch = try Scratch()
    let error = #expect(throws: StorageError.self) { try scratch.load(file: "[storage]\n\(key) = \"\(value)\"\n") }
    #expect(error?.message.contains("is no absolute path (~ is not replaced)") == true)
  }

  @Test func `Roots with variables, and literal dollar signs, are taken`() throws {
    let scratch = try Scratch()
    let options = try scratch.load(
      file: "[storage]\ngraphroot = \"$HOME/g\"\nrunroot = \"${HOME}/r\"\nimagestore = \"/cost$/5$1\"\n")
    #expect(options.graphRoot == scratch.path + "/home/g" || options.graphRoot.hasSuffix("/g"))
    #expect(options.graphRoot.hasPrefix("/") && options.runRoot.hasPrefix("/"))
    #expect(options.imageStore == "/cost$/5$1")
  }

  @Test(arguments: ["~/bin/fuse-overlayfs", "fuse-overlayfs", "$HOME/bin/f"])
  func `A mount program that is no whole path is refused`(value: String) throws {
    let scratch = try Scratch()
    let error = #expect(throws: StorageError.self) {
      try scratch.load(file: "[storage.options.overlay]\nmount_program = \"\(value)\"\n")
    }
    #expect(error?.message.hasPrefix("mount_program \"\(value)\" is no absolute path") == true)
  }
}
