// SPDX-License-Identifier: Apache-2.0

import StowageCompression
import StowageDiff
import StowageDriverAPI
import StowageDriverOverlay
import StowageDrivers
import StowageFiles
import StowageModel
import StowageMounts
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// What only the overlay driver has: its files on disk, its mounts, staging and links.
@Suite("The overlay driver", .tags(.root), .serialized, .enabled(if: isRoot, "makes mounts and devices"))
struct OverlayTests {
  /// graph-drivers 3.2, changes-1.64 3.1 and check 1.
  @Test func `A layer's directory has the documented files, modes and contents`() throws {
    try withDriver("overlay") { bench in
      let home = bench.graphRoot.appending("overlay")
      let base = try bench.create("base")
      let child = try bench.create("child", over: [base])
      try bench.create("ctr", over: [child, base], readWrite: true)
      let text = try shell(
        "find base child ctr -printf '%M %U:%G %p\\n' | sed 's/[A-Z2-7]\\{26\\}/LINK/' | LC_ALL=C sort -k 3",
        directory: home)
      #expect(
        text.outputText == """
          drwx------ 0:0 base
          dr-xr-xr-x 0:0 base/diff
          drwx------ 0:0 base/empty
          -rw-r--r-- 0:0 base/link
          drwx------ 0:0 base/merged
          drwx------ 0:0 base/work
          drwx------ 0:0 child
          dr-xr-xr-x 0:0 child/diff
          -rw-r--r-- 0:0 child/link
          -rw-r--r-- 0:0 child/lower
          -rw-r--r-- 0:0 child/lower-layers
          drwx------ 0:0 child/merged
          drwx------ 0:0 child/work
          drwx------ 0:0 ctr
          dr-xr-xr-x 0:0 ctr/diff
          -rw-r--r-- 0:0 ctr/link
          -rw-r--r-- 0:0 ctr/lower
          -rw-r--r-- 0:0 ctr/lower-layers
          drwx------ 0:0 ctr/merged
          drwx------ 0:0 ctr/work

          """)
      let baseLink = try home.appending("base").appending("link").readText()
      let childLink = try home.appending("child").appending("link").readText()
      #expect(baseLink.utf8.count == 26 && childLink.utf8.count == 26)
      #expect(try home.appending("child").appending("lower").readText() == "l/\(baseLink)")
      #expect(try home.appending("ctr").appending("lower").readText() == "l/\(childLink):l/\(baseLink)")
      #expect(try home.appending("child").appending("lower-layers").readText() == "base")
      #expect(try home.appending("ctr").appending("lower-layers").readText() == "child:base")
      #expect(try Syscall.readlink(home.appending("l").appending(childLink)) == Array("../child/diff".utf8))
      #expect(try Syscall.stat(home.appending("l")).permissions == 0o755)
    }
  }

  /// graph-drivers 7.3 with the lower directories of changes-1.64 4.1.
  @Test func `Mounts have the reference's option text`() throws {
    try withDriver("overlay") { bench in
      let home = bench.graphRoot.appending("overlay")
      let base = try bench.create("base")
      let child = try bench.create("child", over: [base])
      let chain = [child, base]
      let container = try bench.create("ctr", over: chain, readWrite: true)
      func data(_ layer: LayerLocation, _ parents: [LayerLocation], _ options: MountOptions) throws -> (String, UInt) {
        for case let mount as OverlayMount in try bench.driver.mountPlan(for: layer, over: parents, options).steps {
          return (mount.data, mount.flags.rawValue)
        }
        return ("", 0)
      }
      #expect(
        try data(container, chain, MountOptions()).0
          == "lowerdir=\(home)/child/diff:\(home)/base/diff,upperdir=\(home)/ctr/diff,workdir=\(home)/ctr/work")
      #expect(
        try data(child, [base], MountOptions(options: ["ro"]))
          == ("lowerdir=\(home)/child/diff:\(home)/base/diff", 1))
      #expect(
        try data(base, [], MountOptions()).0
          == "lowerdir=\(home)/base/empty,upperdir=\(home)/base/diff,workdir=\(home)/base/work")
      #expect(
        try data(base, [], MountOptions(label: "x:y", options: ["ro", "nodev", "defaults", "xino=off"]))
          == ("lowerdir=\(home)/base/diff:\(home)/base/empty,xino=off,context=\"x:y\"", 1 | 4))
      #expect(
        try data(container, chain, MountOptions(isVolatile: true)).0.hasSuffix(",volatile"))
      try Syscall.mkdir(home.appending("base").appending("diff1"), mode: 0o555)
      #expect(
        try data(child, [base], MountOptions(options: ["ro"])).0
          == "lowerdir=\(home)/child/diff:\(home)/base/diff:\(home)/base/diff/../diff1")
    }
  }

  @Test func `The kernel shows the documented mount, and unmounting puts a new mount point in place`() throws {
    try withDriver("overlay") { bench in
      let base = try bench.create("base")
      let container = try bench.create("ctr", over: [base], readWrite: true)
      let merged = bench.driver.directory(of: container).appending("merged")
      let before = try Syscall.lstat(merged)
      try bench.mounted(container, over: [base]) { (tree: FilePath) throws in
        #expect(tree == merged)
        let entry = try MountTable.entries().first { $0.mountPoint == merged }
        #expect(entry?.type == "overlay" && entry?.source == "overlay")
        #expect(entry?.propagation == [])
        let plan = try bench.driver.mountPlan(for: container, over: [base], MountOptions())
        #expect(try MountExecutor.perform(plan) == .alreadyMounted)
      }
      let after = try Syscall.lstat(merged)
      #expect(after.permissions == 0o700 && after.inode != before.inode)
      #expect(!merged.removingLastComponent().appending("merged.1").exists)
      // The reference of Debian removes the mount point when it unmounts.
      try Syscall.rmdir(merged)
      try MountExecutor.perform(bench.driver.unmountPlan(for: container))
      try Syscall.rmdir(merged)
      try bench.mounted(container, over: [base]) { (tree: FilePath) throws in #expect(tree.exists) }
    }
  }

  @Test func `A volatile layer can be mounted again`() throws {
    try withDriver("overlay") { bench in
      let base = try bench.create("base")
      let container = try bench.create("ctr", over: [base], readWrite: true)
      let mark = bench.driver.directory(of: container).appending("work").appending("work").appending("incompat")
        .appending("volatile")
      for _ in 0..<2 {
        try bench.mounted(container, over: [base], MountOptions(isVolatile: true)) { (tree: FilePath) throws in
          try tree.appending("f").write("x")
          #expect(mark.exists)
        }
        #expect(mark.exists)
      }
    }
  }

  @Test func `More than 500 parents are refused, and paths with colons and commas are mounted by descriptor`() throws {
    try withDriver("overlay") { bench in
      let base = try bench.create("base")
      let middle = try bench.create("middle", over: [base])
      let many = (0..<501).map { _ in middle }
      let top = try bench.create("top", over: [base])
      try Syscall.unlink(bench.driver.directory(of: top).appending("lower"))
      #expect(message { _ = try bench.driver.mountPlan(for: top, over: many, MountOptions()) } == "max depth exceeded")
      let parent = LayerLocation(id: try #require(LayerID(recorded: "a:b,c")), role: .graphRoot, root: bench.graphRoot)
      try bench.driver.create(parent, over: [], LayerCreateOptions())
      try bench.driver.directory(of: parent).appending("diff").appending("f").write("x")
      let odd = LayerLocation(id: try #require(LayerID(recorded: "d\\e")), role: .graphRoot, root: bench.graphRoot)
      try bench.driver.create(odd, over: [parent], LayerCreateOptions())
      try bench.mounted(odd, over: [parent]) { (tree: FilePath) throws in
        #expect(try tree.names() == ["f"])
        try tree.appending("g").write("y")
      }
      #expect(bench.driver.directory(of: odd).appending("diff").appending("g").exists)
    }
  }

  @Test func `Staged content becomes the layer's content, and the staging directory goes away`() throws {
    try withDriver("overlay") { bench in
      let base = try bench.create("base")
      try Syscall.chmod(bench.driver.directory(of: base).appending("diff"), mode: 0o1751)
      let staged = try bench.driver.stage(over: [base], targetRoot: bench.graphRoot, LayerCreateOptions())
      let tempdirs = bench.graphRoot.appending("overlay").appending("tempdirs")
      #expect(staged.tree.lastComponent?.string == "0-addition")
      #expect(try Syscall.stat(staged.tree).permissions == 0o1751)
      try staged.tree.appending("f").write("content")
      let child = try bench.location("child")
      try bench.driver.create(child, over: [base], LayerCreateOptions(), staged: staged)
      #expect(try bench.driver.directory(of: child).appending("diff").appending("f").readText() == "content")
      #expect(try tempdirs.names() == [])

      let (ghost, orphan) = (try bench.location("ghost"), try bench.location("orphan"))
      #expect(throws: StorageError.self) {
        let second = try bench.driver.stage(over: [base], targetRoot: bench.graphRoot, LayerCreateOptions())
        try bench.driver.create(orphan, over: [ghost], LayerCreateOptions(), staged: second)
      }
      #expect(try !bench.driver.exists(orphan))
      #expect(try tempdirs.names() == [])

      #expect(
        message { try bench.driver.stage(over: [ghost], targetRoot: bench.graphRoot, LayerCreateOptions()).discard() }?
          .hasPrefix("parent layer \"ghost\": unknown layer: ") == true)
    }
  }

  /// graph-drivers 6.4 and check 13.
  @Test func `Removal moves the link and the directory aside under the documented names`() throws {
    try withDriver("overlay") { bench in
      let base = try bench.create("base")
      let home = bench.graphRoot.appending("overlay")
      let link = try home.appending("base").appending("link").readText()
      var bins = DeferredRemoval()
      try bench.driver.remove(base, into: &bins)
      #expect(!home.appending("base").exists)
      #expect(try home.appending("l").names() == [])
      let found = try shell(
        "find . -mindepth 2 -maxdepth 2 | sed 's,.*/,,' | sort", directory: home.appending("tempdirs"))
      #expect(found.outputText == "0-\(link)\n1-base\n")
      try bins.empty()
      #expect(try home.appending("tempdirs").names() == [])
    }
  }

  /// changes-1.64, checks 4, 5, 6 and 7.
  @Test
  func `Lost links and lists are restored, dangling links removed, and mounts follow the records meanwhile`() throws {
    try withDriver("overlay") { bench in
      let home = bench.graphRoot.appending("overlay")
      let base = try bench.create("base")
      let child = try bench.create("child", over: [base])
      let top = try bench.create("top", over: [child, base])
      let chains = [
        LayerChain(layer: base, parents: []), LayerChain(layer: child, parents: [base]),
        LayerChain(layer: top, parents: [child, base]),
      ]
      #expect(try bench.overlay.linkFindings(chains) == [])
      let original = try shell("cat */link; cat */lower*; ls l", directory: home).outputText

      let childLink = try home.appending("child").appending("link").readText()
      for name in try home.appending("l").names() where name != childLink {
        try Syscall.unlink(home.appending("l").appending(name))
      }
      try Syscall.unlink(home.appending("child").appending("link"))
      try Syscall.unlink(home.appending("child").appending("lower"))
      try home.appending("top").appending("lower-layers").write("child:base\n")
      try Syscall.symlink(target: "../gone/diff", at: home.appending("l").appending("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
      let findings = try bench.overlay.linkFindings(chains).map(\.description)
      #expect(findings.contains("layer child: link file is missing or unusable"))
      #expect(findings.contains("layer child: file lower is missing"))
      #expect(findings.contains("layer top: file lower-layers is missing or unusable"))
      #expect(findings.contains("link l/ABCDEFGHIJKLMNOPQRSTUVWXYZ leads nowhere"))
      #expect(findings.count == 6)
      try bench.mounted(top, over: [child, base]) { (tree: FilePath) throws in #expect(tree.exists) }

      try bench.overlay.repairLinks(chains, in: bench.graphRoot, mounted: [])
      #expect(try bench.overlay.linkFindings(chains) == [])
      #expect(try shell("cat */link; cat */lower*; ls l", directory: home).outputText == original)

      for list in ["", "base", "nosuch"] {
        try home.appending("top").appending("lower-layers").write(list)
        try bench.mounted(top, over: [child, base]) { (tree: FilePath) throws in
          let options = try MountTable.entries().first { $0.mountPoint == tree }?.superOptions ?? ""
          #expect(options.contains("lowerdir=\(home)/child/diff:\(home)/base/diff,"))
        }
        #expect(try bench.overlay.linkFindings(chains).count == 1)
      }
      try Syscall.unlink(home.appending("base").appending("link"))
      try bench.create("another", over: [base])
      let links = try shell("find l -lname ../base/diff | wc -l", directory: home)
      #expect(links.outputText == "1\n")
    }
  }

  /// graph-drivers 26.29.
  @Test func `A short name stays with the layer whose entry it is, and unusable ones are replaced`() throws {
    try withDriver("overlay") { bench in
      let home = bench.graphRoot.appending("overlay")
      let base = try bench.create("base")
      let child = try bench.create("child", over: [base])
      let chains = [LayerChain(layer: base, parents: []), LayerChain(layer: child, parents: [base])]
      let (baseFile, childFile) = (home.appending("base/link"), home.appending("child/link"))
      let (baseName, childName) = (try baseFile.readText(), try childFile.readText())

      // The other layer still has its entry, or has none.
      try childFile.write(baseName)
      try bench.overlay.repairLinks(chains, in: bench.graphRoot, mounted: [])
      #expect(try bench.overlay.linkFindings(chains) == [])
      #expect(try baseFile.readText() == baseName)
      #expect(try childFile.readText() == childName)
      try baseFile.write(childName)
      try Syscall.unlink(home.appending("l").appending(baseName))
      try bench.overlay.repairLinks(chains, in: bench.graphRoot, mounted: [])
      #expect(try bench.overlay.linkFindings(chains) == [])
      #expect(try childFile.readText() == childName)
      #expect(try ![baseName, childName].contains(baseFile.readText()))

      // A name with the character between names of a list would never be found in one.
      try baseFile.write("A:B")
      try bench.overlay.repairLinks(chains, in: bench.graphRoot, mounted: [])
      #expect(try bench.overlay.linkFindings(chains) == [])
      #expect(try !baseFile.readText().contains(":"))
    }
  }

  @Test func `A layer made from a template keeps it as its lower layer, though the records do not name it`() throws {
    try withDriver("overlay") { bench in
      let home = bench.graphRoot.appending("overlay")
      let base = try bench.create("base")
      let original = try bench.create("original", over: [base])
      let copy = try bench.create("copy", over: [original, base])
      #expect(try home.appending("copy").appending("lower-layers").readText() == "original:base")
      // The records say: copy is a child of base.
      #expect(
        try bench.driver.contentRoots(of: copy, over: [base])
          == ["copy", "original", "base"].map { home.appending($0).appending("diff") })
      try bench.create("ctr", over: [copy, base], readWrite: true)
      #expect(try home.appending("ctr").appending("lower-layers").readText() == "copy:original:base")
    }
  }

  @Test func `Status, metadata and sizes are reported as documented`() throws {
    try withDriver("overlay") { bench in
      let home = bench.graphRoot.appending("overlay")
      let status = try bench.overlay.status()
      #expect(
        status.map(\.0) == [
          "Backing Filesystem", "Supports d_type", "Native Overlay Diff", "Using metacopy", "Supports shifting",
          "Supports volatile",
        ])
      #expect(status[1].1 == "true" && status[3].1 == "false")
      let base = try bench.create("base")
      let child = try bench.create("child", over: [base])
      try home.appending("child").appending("diff").appending("f").write("12345")
      #expect(
        try bench.overlay.metadata(of: child, over: [base]).map { "\($0.0)=\($0.1)" } == [
          "LowerDir=\(home)/base/diff", "MergedDir=\(home)/child/merged", "UpperDir=\(home)/child/diff",
          "WorkDir=\(home)/child/work",
        ])
      #expect(try bench.overlay.metadata(of: base, over: []).map(\.0) == ["MergedDir", "UpperDir", "WorkDir"])
      let usage = try bench.driver.diskUsage(of: child)
      #expect(usage.size == 5 && usage.inodes == 2)
      #expect(try bench.overlay.diffSize(of: child, over: [base], from: base.id) == 5)
      #expect(try bench.overlay.diffSize(of: child, over: [base], from: nil) == nil)
      #expect(
        try bench.overlay.diffSource(of: child, over: [base], from: base.id)
          == .overlay(
            upper: home.appending("child").appending("diff"), lowers: [home.appending("base").appending("diff")],
            attributes: .trusted))
      #expect(try bench.overlay.diffSource(of: child, over: [base], from: nil) == .trees)
    }
  }

  /// graph-drivers check 10, values of a Linux of our days.
  @Test func `Probes are cached under the reference's names, and the home is a private mount until clean-up`() throws {
    try withDriver("overlay") { bench in
      _ = try bench.overlay.status()
      let home = bench.graphRoot.appending("overlay")
      let names = try bench.runRoot.appending("overlay").names()
      #expect(names.contains("overlay-true"))
      #expect(names.contains("volatile-true"))
      #expect(names.contains { $0.hasPrefix("metacopy()-") })
      #expect(names.contains { $0.hasPrefix("native-diff()-") })
      #expect(names.contains { $0.hasPrefix("idmapped-lower-dir-") })
      #expect(try home.names() == [".has-mount-program", "l", "tempdirs"])
      #expect(try home.appending(".has-mount-program").readText() == "false")
      #expect(try home.appending("tempdirs").names() == [])
      let entries = try MountTable.entries().filter { $0.mountPoint == home }
      #expect(entries.count == 1 && entries.first?.propagation == [])
      for name in ["compat12", "volatile-check3", "layer", "staging"] {
        try Syscall.mkdir(home.appending(name), mode: 0o700)
      }
      #expect(try bench.driver.listLayers(in: bench.graphRoot) == ["layer"])
      try bench.overlay.cleanUp()
      #expect(!MountTable.isMountPoint(home))
      #expect(!home.appending("staging").appending("x").exists)
    }
  }

  @Test func `A layer of the image store is mounted read-only in the run root, and the mount point goes away`() throws {
    try withDriver("overlay", imageStore: true) { bench in
      let store = bench.top.appending("i")
      let base = LayerLocation(id: try LayerID(validating: "base"), role: .imageStore, root: store)
      let child = LayerLocation(id: try LayerID(validating: "child"), role: .imageStore, root: store)
      try bench.driver.create(base, over: [], LayerCreateOptions())
      try bench.driver.create(child, over: [base], LayerCreateOptions())
      try store.appending("overlay").appending("base").appending("diff").appending("f").write("x")
      try bench.mounted(child, over: [base], MountOptions(options: ["ro"])) { (tree: FilePath) throws in
        #expect(tree == bench.runRoot.appending("overlay").appending("child").appending("merged"))
        #expect(try tree.names() == ["f"])
      }
      #expect(!bench.runRoot.appending("overlay").appending("child").exists)
      let container = try bench.create("ctr", over: [child, base], readWrite: true)
      try bench.mounted(container, over: [child, base]) { (tree: FilePath) throws in #expect(try tree.names() == ["f"])
      }
      try bench.remove(child)
      try bench.remove(base)
      #expect(try store.appending("overlay").appending("l").names() == [])
      #expect(!store.appending("l").exists)
    }
  }
}
