// SPDX-License-Identifier: Apache-2.0

import StowageDriverAPI
import StowageDriverOverlay
import StowageDriverVFS
import StowageDrivers
import StowageFiles
import StowageModel
import StowageMounts
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Which driver a store gets, and what is said about options (graph-drivers 1.3, 1.7, 2, 4.1).
@Suite("Selection of drivers", .tags(.root), .serialized, .enabled(if: isRoot, "makes mounts and devices"))
struct SelectionTests {
  private func failure(
    _ name: String?, _ options: [String] = [], priority: [String] = [], existing: [String] = [],
    _ check: (FilePath, String?) throws -> Void
  ) throws {
    let top = FilePath("/tmp/stowage-selection-\(UInt32.random(in: 0...UInt32.max))")
    try Syscall.mkdir(top, mode: 0o700)
    defer { Workbench.tearDown(top) }
    let root = top.appending("g")
    try Syscall.mkdir(root, mode: 0o700)
    for name in existing { try Syscall.mkdir(root.appending(name), mode: 0o700) }
    let context = DriverContext(graphRoot: root, runRoot: top.appending("r"), options: options)
    try check(root, message { _ = try StowageDrivers.makeDriver(name: name, priority: priority, context) })
  }

  @Test func `An unknown driver is refused with the reference's text`() throws {
    try failure("aufs") { (root: FilePath, text: String?) throws in
      #expect(text == "failed to GetDriver graph aufs \(root): driver not supported")
    }
  }

  @Test
  func `The driver zfs is refused as a missing one is, with what to do, and what is there is not touched`() throws {
    let text = "Stowage has no zfs driver, use overlay or vfs: driver not supported"
    try failure("zfs") { (root: FilePath, found: String?) throws in
      #expect(found == "failed to GetDriver graph zfs \(root): \(text)")
      #expect(try root.names() == [])
    }
    try failure(nil, existing: ["zfs"]) { (root: FilePath, found: String?) throws in
      #expect(found == "failed to GetDriver graph zfs \(root): \(text)")
      #expect(try root.names() == ["zfs"])
    }
  }

  @Test
  func `The driver btrfs elsewhere than on btrfs is refused with the reference's text, and the next one is tried`()
    throws
  {
    try failure("btrfs") { (root: FilePath, text: String?) throws in
      #expect(
        text == "\"\(root)/btrfs\" is not on a btrfs filesystem: "
          + "prerequisites for driver not satisfied (wrong filesystem?)")
      #expect(try root.names() == [])
    }
    try failure(nil, ["imagestore=/tmp"], priority: ["btrfs", "vfs"]) { (root: FilePath, text: String?) throws in
      #expect(text == nil)
      #expect(try root.names() == ["vfs"])
    }
  }

  @Test(arguments: [
    ("foo.bar=1", "unknown driver \"foo\" in option \"foo.bar=1\""),
    ("overlay.bar=1", "unknown option \"bar\" (\"overlay.bar=1\")"),
    ("bar", "unable to parse key/value option: bar"),
    ("overlay.sync=bad", "invalid sync mode for overlay driver: invalid sync mode: \"bad\""),
    ("imagestore=rel", "overlay: image path \"rel\" is not absolute.  Can not be relative"),
    (
      "imagestore=/nosuch", "overlay: can't stat imageStore dir /nosuch: stat /nosuch: no such file or directory"
    ),
    ("imagestore=/proc/version", "overlay: image path \"/proc/version\" must be a directory"),
    (
      "overlay.mount_program=/nosuch",
      "overlay: can't stat program \"/nosuch\": faccessat /nosuch: no such file or directory"
    ),
    ("overlay.size=1X", "invalid suffix: 'x'"), ("size=", "invalid size: ''"), ("size=-1", "invalid size: '-1'"),
    ("size=x", "invalid size: 'x'"),
    ("size=1.2.3k", "strconv.ParseFloat: parsing \"1.2.3\": invalid syntax"),
    ("inodes=x", "strconv.ParseUint: parsing \"x\": invalid syntax"),
    ("inodes=-1", "strconv.ParseUint: parsing \"-1\": invalid syntax"),
    (
      "inodes=99999999999999999999999",
      "strconv.ParseUint: parsing \"99999999999999999999999\": value out of range"
    ),
    ("force_mask=888", "strconv.ParseInt: parsing \"888\": invalid syntax"),
    ("force_mask=", "strconv.ParseInt: parsing \"\": invalid syntax"),
    ("force_mask=77777777777777", "strconv.ParseInt: parsing \"77777777777777\": value out of range"),
    ("skip_mount_home=", "strconv.ParseBool: parsing \"\": invalid syntax"),
    ("ignore_chown_errors=yes", "strconv.ParseBool: parsing \"yes\": invalid syntax"),
    ("additionallayerstore=rel", "overlay: additionallayerstore path \"rel\" is not absolute.  Can not be relative"),
    (
      "additionallayerstore=/nosuch",
      "overlay: can't stat additionallayerstore dir: stat /nosuch: no such file or directory"
    ),
    (
      "additionallayerstore=/proc/version",
      "overlay: additionallayerstore path \"/proc/version\" must be a directory"
    ),
    (
      "additionallayerstore=/tmp:y", "overlay: additionallayerstore config \"/tmp\" contains unknown option \"y\""
    ),
    (
      "additionallayerstore=/tmp:ref:ref",
      "overlay: additionallayerstore config of \"/tmp\" contains \"ref\" option twice"
    ),
    (
      "use_composefs=true",
      "composefs helper program not found: exec: \"mkcomposefs\": executable file not found in $PATH"
    ),
    (
      "overlay.size=100m",
      "storage option overlay.size and overlay.inodes only supported for backingFS XFS. Found extfs"
    ),
  ])
  func `Wrong options are refused with the reference's text`(_ option: String, _ expected: String) throws {
    try failure("overlay", [option]) { (root: FilePath, text: String?) throws in
      #expect(text == expected)
      #expect(try root.names() == [], "nothing is left of a failed start")
    }
  }

  @Test func `Options for other drivers are skipped, and vfs accepts sync`() throws {
    try failure("overlay", ["vfs.bar=1", ".skip_mount_home=true"]) { (_: FilePath, text: String?) throws in
      #expect(text == nil)
    }
    try failure("vfs", ["overlay.mountopt=nodev", "vfs.sync=filesystem"]) { (_: FilePath, text: String?) throws in
      #expect(text == nil)
    }
    try failure("vfs", ["imagestore=/nosuch"]) { (_: FilePath, text: String?) throws in
      #expect(text == "vfs: can't stat imageStore dir /nosuch: stat /nosuch: no such file or directory")
    }
    try failure("vfs", ["vfs.foo=1"]) { (_: FilePath, text: String?) throws in
      #expect(text == "unknown option \"foo\" (\"vfs.foo=1\")")
    }
  }

  @Test func `Without a name, an existing directory decides, and two of them are refused`() throws {
    try failure(nil, existing: ["overlay", "vfs"]) { (root: FilePath, text: String?) throws in
      #expect(
        text
          == "\(root) contains several valid graphdrivers: overlay, vfs; Please cleanup or explicitly choose storage "
          + "driver (-s <DRIVER>)")
    }
    try failure(nil, existing: ["btrfs"]) { (root: FilePath, text: String?) throws in
      #expect(
        text == "\"\(root)/btrfs\" is not on a btrfs filesystem: "
          + "prerequisites for driver not satisfied (wrong filesystem?)")
    }
    try failure(nil, existing: ["vfs"]) { (root: FilePath, text: String?) throws in
      #expect(text == nil)
      #expect(try root.names() == ["overlay", "vfs"])
    }
    try failure(nil, priority: ["vfs", "overlay"], existing: ["vfs"]) { (root: FilePath, text: String?) throws in
      #expect(text == nil)
      #expect(try root.names() == ["vfs"])
    }
  }

  @Test func `The name overlay2 uses the directory overlay unless it has one of its own`() throws {
    try failure("overlay2") { (root: FilePath, text: String?) throws in
      #expect(text == nil)
      #expect(try root.names() == ["overlay"])
    }
    try failure("overlay2", existing: ["overlay2"]) { (root: FilePath, text: String?) throws in
      #expect(text == nil)
      #expect(try root.names() == ["overlay2"])
    }
  }

  @Test func `The driver vfs refuses mount options and storage options with the reference's texts`() throws {
    try withDriver("vfs") { bench in
      let base = try bench.create("base")
      #expect(
        message { _ = try bench.driver.mountPlan(for: base, over: [], MountOptions(options: ["nodev"])) }
          == "vfs driver does not support mount options")
      let other = try bench.location("other")
      #expect(
        message { try bench.driver.create(other, over: [], LayerCreateOptions(storageOptions: ["size": "1m"])) }
          == "--storage-opt is not supported for vfs")
      #expect(bench.driver.selfDescribing == nil)
    }
  }

  @Test func `The driver overlay refuses storage options without quotas with the reference's texts`() throws {
    try withDriver("overlay") { bench in
      let layer = try bench.location("layer")
      func text(_ options: [String: String], readWrite: Bool) -> String? {
        message {
          try bench.driver.create(
            layer, over: [], LayerCreateOptions(isReadWrite: readWrite, storageOptions: options))
        }
      }
      #expect(
        text(["size": "1m"], readWrite: true)
          == "--storage-opt is supported only for overlay over xfs with 'pquota' mount option")
      #expect(text(["SIZE": "1m"], readWrite: false) == "--storage-opt size is only supported for ReadWrite Layers")
      #expect(text(["Foo": "1"], readWrite: false) == "unknown option foo")
    }
  }

  @Test func `Content is forced to the disk by default, and the option can switch that off`() throws {
    #expect(try VFSSettings([]).syncPolicy == .fileSystem)
    #expect(try VFSSettings(DriverOption.parse(["vfs.sync=none"], for: ["vfs"], among: ["vfs"])).syncPolicy == .none)
    #expect(OverlaySettings().syncPolicy == .fileSystem)
  }
}
