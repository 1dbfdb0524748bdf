// SPDX-License-Identifier: Apache-2.0

import StowageDriverAPI
import StowageDriverOverlay
import StowageModel
import StowageMounts
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// The ways to mount, and mount programs.
@Suite("Ways to mount", .tags(.root), .serialized, .enabled(if: isRoot, "makes mounts and devices"))
struct MountTests {
  @Test(.tags(.slow), arguments: OverlayMounter.Means.allCases, [false, true])
  func `Every means mounts the same tree`(_ means: OverlayMounter.Means, _ readOnly: Bool) throws {
    try withDriver("overlay") { bench in
      var chain: [LayerLocation] = []
      for index in 1...20 {
        let layer = try bench.create("layer\(index)", over: chain)
        let diff = bench.driver.directory(of: layer).appending("diff")
        try diff.appending("f\(index)").write("\(index)")
        try diff.appending("all").write("\(index)")
        chain.insert(layer, at: 0)
      }
      let top = try bench.create("top", over: chain, readWrite: true)
      let options = MountOptions(
        options: readOnly ? ["ro", "nodev", "noatime"] : ["nodev", "noatime"], isVolatile: !readOnly)
      let plan = try bench.driver.mountPlan(for: top, over: chain, options)
      for case let mount as OverlayMount in plan.steps { try OverlayMounter.mount(mount, by: means) }
      let entry = try #require(try MountTable.entries().first { $0.mountPoint == plan.mountPoint })
      #expect(entry.options == (readOnly ? "ro,nodev,noatime" : "rw,nodev,noatime"))
      #expect(entry.superOptions.hasPrefix(readOnly ? "ro" : "rw"))
      #expect(try plan.mountPoint.names().count == 21)
      #expect(try plan.mountPoint.appending("all").readText() == "20", "the uppermost layer's file is seen")
      if !readOnly {
        #expect(entry.superOptions.contains("volatile"))
        try plan.mountPoint.appending("new").write("x")
        #expect(bench.driver.directory(of: top).appending("diff").appending("new").exists)
      }
      try MountExecutor.perform(bench.driver.unmountPlan(for: top))
    }
  }

  /// graph-drivers 12.1 and check 12, changes-1.64 check 9.
  @Test(arguments: [OverlayMounter.Means.automatic, .parameters, .optionText])
  func `Owners of the layers below can be shifted, and no helping mount is left`(_ means: OverlayMounter.Means) throws {
    try withDriver("overlay") { bench in
      try #require(bench.overlay.supportsShifting(IDMaps()), "needs Linux 5.19 and a file system with idmapped mounts")
      let base = try bench.create("base")
      try bench.apply(archive("echo a >a; chown 5:6 a; mkdir d"), to: base, over: [])
      let child = try bench.create("child", over: [base])
      try bench.driver.directory(of: child).appending("diff1").write("")
      try Syscall.unlink(bench.driver.directory(of: child).appending("diff1"))
      try Syscall.mkdir(bench.driver.directory(of: child).appending("diff1"), mode: 0o755)
      try bench.driver.directory(of: child).appending("diff1").appending("old").write("x")
      let range = [IDMapping(containerID: 0, hostID: 100000, size: 65536)]
      let options = MountOptions(idMaps: IDMaps(uids: range, gids: range))
      let top = try bench.create("top", over: [child, base], readWrite: true)
      let plan = try bench.driver.mountPlan(for: top, over: [child, base], options)
      for step in plan.steps {
        if let mount = step as? OverlayMount {
          try OverlayMounter.mount(mount, by: means)
        } else {
          try MountExecutor.perform(MountPlan(steps: [step], mountPoint: plan.mountPoint))
        }
      }
      let file = try Syscall.lstat(plan.mountPoint.appending("a"))
      #expect((file.uid, file.gid) == (100005, 100006))
      #expect(try Syscall.lstat(plan.mountPoint.appending("old")).uid == 100000)
      #expect(try Syscall.lstat(bench.driver.directory(of: top).appending("diff")).uid == 100000)
      #expect(try Syscall.lstat(bench.driver.directory(of: base).appending("diff").appending("a")).uid == 5)
      #expect(MountTable.mounts(below: bench.driver.directory(of: top).appending("mapped")).isEmpty)
      try MountExecutor.perform(bench.driver.unmountPlan(for: top))
      // IDs of a kind without a map stay as they are.
      let users = try bench.create("users", over: [base], readWrite: true)
      try bench.mounted(users, over: [base], MountOptions(idMaps: IDMaps(uids: range))) { tree in
        let file = try Syscall.lstat(tree.appending("a"))
        #expect((file.uid, file.gid) == (100005, 6))
      }
      // Content that has the owners on disk is shown as it is.
      var plain = options
      plain.disableShifting = true
      for case let mount as OverlayMount in try bench.driver.mountPlan(for: top, over: [child, base], plain).steps {
        #expect(mount.shift.isEmpty)
      }
    }
  }

  @Test func `As many as 500 lower directories can be mounted by descriptors`() throws {
    try withDriver("overlay") { bench in
      let base = try bench.create("base")
      let top = try bench.create("top", over: [base], readWrite: true)
      let plan = try bench.driver.mountPlan(for: top, over: [base], MountOptions())
      for case var mount as OverlayMount in plan.steps {
        let many = bench.top.appending("many")
        try Syscall.mkdir(many, mode: 0o700)
        mount.lowers = try (0..<500).map { index in
          let path = many.appending("l\(index)")
          try Syscall.mkdir(path, mode: 0o755)
          try path.appending("f\(index)").write("x")
          return path
        }
        for means in [OverlayMounter.Means.parameters, .descriptors] {
          try OverlayMounter.mount(mount, by: means)
          #expect(try plan.mountPoint.names().count == 500)
          try MountExecutor.unmount(plan.mountPoint)
        }
      }
    }
  }

  @Test func `A failed mount is told with the reference's text and leaves nothing mounted`() throws {
    try withDriver("overlay") { bench in
      let home = bench.graphRoot.appending("overlay")
      let base = try bench.create("base")
      let plan = try bench.driver.mountPlan(for: base, over: [], MountOptions(options: ["nonsense"]))
      #expect(
        message { try MountExecutor.perform(plan) }
          == "creating overlay mount to \(home)/base/merged, mount_data=\"lowerdir=\(home)/base/empty,"
          + "upperdir=\(home)/base/diff,workdir=\(home)/base/work,nonsense\": invalid argument")
      #expect(!MountTable.isMountPoint(plan.mountPoint))
    }
  }

  /// graph-drivers 7.4 and check 16, without the superfluous colon.
  @Test func `A mount program gets the documented arguments`() throws {
    try withTemporaryDirectory("program") { directory in
      let (program, log) = (directory.appending("program"), directory.appending("log"))
      try program.write("#!/bin/sh\necho \"$PWD\" \"$@\" >>\(log)\n", mode: 0o755)
      try withDriver("overlay", options: ["overlay.mount_program=\(program)", "overlay.mountopt=nodev"]) { bench in
        let home = bench.graphRoot.appending("overlay")
        #expect(try home.appending(".has-mount-program").readText() == "true")
        let base = try bench.create("base")
        let top = try bench.create("top", over: [base], readWrite: true)
        let data = "lowerdir=\(home)/base/diff,upperdir=\(home)/top/diff,workdir=\(home)/top/work"
        let range = [IDMapping(containerID: 0, hostID: 100000, size: 65536)]
        let single = [IDMapping(containerID: 0, hostID: 1000, size: 1)]
        let cases: [(MountOptions, String)] = [
          (MountOptions(), data),
          (MountOptions(options: ["ro"]), "lowerdir=\(home)/top/diff:\(home)/base/diff,ro"),
          (MountOptions(isVolatile: true), data + ",volatile"),
          (
            MountOptions(idMaps: IDMaps(uids: range, gids: range)),
            data + ",uidmapping=0:100000:65536,gidmapping=0:100000:65536"
          ),
          (MountOptions(idMaps: IDMaps(uids: single, gids: single)), data + ",squash_to_uid=1000,squash_to_gid=1000"),
        ]
        for (options, expected) in cases {
          try? Syscall.unlink(log)
          try MountExecutor.perform(bench.driver.mountPlan(for: top, over: [base], options))
          #expect(try log.readText() == "\(home) -o \(expected) \(home)/top/merged\n")
        }
        try program.write("#!/bin/sh\necho no luck >&2\nexit 3\n", mode: 0o755)
        let text = message { try MountExecutor.perform(bench.driver.mountPlan(for: top, over: [base], MountOptions())) }
        #expect(text?.hasSuffix(": using mount program \(program): no luck: exit status 3") == true)
      }
    }
  }

  @Test(.enabled(if: commandExists("fuse-overlayfs") && FilePath("/dev/fuse").exists, "needs fuse-overlayfs"))
  func `A layer is presented by fuse-overlayfs, with literal whiteouts`() throws {
    try withDriver("overlay", options: ["overlay.mount_program=/usr/bin/fuse-overlayfs"]) { bench in
      let base = try bench.create("base")
      try bench.apply(archive("echo a >a; echo b >b"), to: base, over: [])
      let child = try bench.create("child", over: [base])
      try bench.apply(archive("touch .wh.a; echo c >c"), to: child, over: [base])
      #expect(bench.driver.directory(of: child).appending("diff").appending(".wh.a").exists)
      let top = try bench.create("top", over: [child, base], readWrite: true)
      try bench.mounted(top, over: [child, base]) { (tree: FilePath) throws in
        #expect(try tree.names() == ["b", "c"])
        try tree.appending("d").write("x")
        let plan = try bench.driver.mountPlan(for: top, over: [child, base], MountOptions())
        #expect(try MountExecutor.perform(plan) == .alreadyMounted)
      }
      #expect(bench.driver.directory(of: top).appending("diff").appending("d").exists)
      #expect(!MountTable.isMountPoint(bench.driver.directory(of: top).appending("merged")))
      #expect(try bench.overlay.status().map(\.1)[2...3] == ["false", "false"])
    }
  }

  @Test func `Starting again with known probes recovers stale directories, mounts inside them included`() throws {
    try withDriver("overlay") { bench in
      let home = bench.graphRoot.appending("overlay")
      try bench.overlay.cleanUp()
      let stale = home.appending("tempdirs").appending("temp-dir-9").appending("1-x").appending("merged")
      for path in [stale.removingLastComponent().removingLastComponent(), stale.removingLastComponent(), stale] {
        try Syscall.mkdir(path, mode: 0o700)
      }
      try Syscall.mount(source: "tmpfs", target: stale, type: "tmpfs")
      _ = try Workbench("overlay", at: bench.top)
      #expect(try home.appending("tempdirs").names() == [])
      #expect(!MountTable.isMountPoint(stale))
      let clock = ContinuousClock()
      let time = try clock.measure { for _ in 0..<20 { _ = try Workbench("overlay", at: bench.top) } }
      // Each probe mounts and costs tens of milliseconds: this is far below one of them, far above a loaded machine.
      #expect(time / 20 < .milliseconds(25), "a start with known probes takes \(time / 20)")
      #expect(try MountTable.entries().filter { $0.mountPoint == home }.count == 1)
    }
  }

  /// graph-drivers 26.14.
  @Test func `A recorded failure of the overlay probe is honoured with its text`() throws {
    try withDriver("vfs") { bench in
      try Syscall.mkdir(bench.runRoot.appending("overlay"), mode: 0o700)
      try bench.runRoot.appending("overlay").appending("overlay-false").write("no overlay today")
      let text = message { _ = try Workbench("overlay", options: ["overlay.mount_program="], at: bench.top) }
      if commandExists("fuse-overlayfs") { #expect(text == nil) } else { #expect(text == "no overlay today") }
    }
  }
}
