// SPDX-License-Identifier: Apache-2.0

import Glibc
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Subvolumes of btrfs beyond what every driver must do (graph-drivers, btrfs).
@Suite("Subvolumes of btrfs", .tags(.root), .serialized, .enabled(if: canMountBtrfs, "needs btrfs on a loop device"))
struct BtrfsTests {
  private func subvolumes(_ bench: Workbench) throws -> [String] {
    let listed = try shell("btrfs subvolume list \(bench.top.string)")
    return listed.outputText.split(separator: "\n").map(String.init)
  }

  @Test func `A layer is a subvolume, its child a snapshot of it`() throws {
    try withDriver("btrfs") { bench in
      let base = try bench.create("base")
      try bench.apply(archive("echo a >file"), to: base, over: [])
      let child = try bench.create("child", over: [base])
      let shown = try shell("btrfs subvolume show \(bench.graphRoot.string)/btrfs/subvolumes/child")
      let parent = try shell(
        "btrfs subvolume show \(bench.graphRoot.string)/btrfs/subvolumes/base | awk '$1 == \"UUID:\" {print $2}'")
      let id = parent.outputText.filter { !$0.isWhitespace }
      #expect(id.count == 36)
      #expect(shown.outputText.contains(#/Parent UUID:\s*/#) && shown.outputText.contains(id), "\(shown)")
      try bench.remove(child)
      try bench.remove(base)
    }
  }

  @Test
  func `Subvolumes that a container made go with its layer: nested, read-only, deep, with deep directories inside`()
    throws
  {
    try withDriver("btrfs") { bench in
      let base = try bench.create("base")
      let layer = try bench.create("layer", over: [base], readWrite: true)
      let before = try subvolumes(bench).count
      let made = try shell(
        """
        set -e
        cd \(bench.graphRoot.string)/btrfs/subvolumes/layer
        exec >/dev/null
        btrfs subvolume create one; echo x >one/x
        btrfs subvolume create one/two; echo y >one/two/y
        btrfs subvolume create one/two/three
        btrfs subvolume snapshot -r one one/two/frozen
        mkdir -p d/e; btrfs subvolume create d/e/four; echo z >d/e/four/z
        btrfs property set one/two ro true
        deep=$(printf 'n/%.0s' $(seq 200)); mkdir -p d/e/four/$deep
        at=d; for i in $(seq 150); do btrfs subvolume create $at/s; at=$at/s; done
        mkdir -p $at/$deep
        """)
      try #require(made.isSuccess, "\(made)")
      try #require(try subvolumes(bench).count > before + 150)
      try bench.remove(layer)
      #expect(try subvolumes(bench).count == before - 1)
      let names = try shell("ls \(bench.graphRoot.string)/btrfs/subvolumes \(bench.graphRoot.string)/btrfs/tempdirs")
      #expect(!names.outputText.contains("layer"), "\(names)")
      try bench.remove(base)
    }
  }

  @Test(.tags(.slow)) func `A layer's limit holds, and its quota group goes with it`() throws {
    try withDriver("btrfs", options: ["btrfs.size=64m", "btrfs.min_space=1m"]) { bench in
      let base = try bench.create("base")
      let layer = try bench.create("layer", over: [base], readWrite: true)
      let directory = bench.graphRoot.string + "/btrfs/subvolumes/layer"
      let filled = try shell("dd if=/dev/urandom of=\(directory)/big bs=1M count=100 conv=fsync")
      #expect(filled.errorText.contains("Disk quota exceeded"), "\(filled)")
      let id = try shell("btrfs subvolume show \(directory) | awk '$1 == \"Subvolume\" && $2 == \"ID:\" {print $3}'")
      let group = "0/" + id.outputText.filter { !$0.isWhitespace }
      try bench.remove(layer)
      let top = bench.top.string
      // Newer kernels remove the group themselves when they have freed the space: the cleaner does that some time later.
      var groups = ""
      for _ in 0..<100 {
        groups = try shell("btrfs filesystem sync \(top); btrfs subvolume sync \(top); btrfs qgroup show \(top)")
          .outputText
        if !groups.contains(group + " ") { break }
        usleep(100_000)
      }
      #expect(!groups.contains(group + " "), "\(groups)")
      #expect(!(bench.graphRoot.appending("btrfs/quotas/layer").exists))
      try bench.remove(base)
    }
  }
}
