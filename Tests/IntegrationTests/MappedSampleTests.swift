// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// A container with ID maps that the reference made and Podman ran, with the image shifted by the kernel and with a copy of it
/// (changes-1.65 1). Expected: what the commands in the container did, and the owners that the reference showed.
@Suite("Mapped containers of the reference", .tags(.root), .enabled(if: isRoot, "owners, devices, mounts"))
struct MappedSampleTests {
  private let exported = """
    0:0 755 data
    0:0 644 data/k4
    1000:1000 600 data/k70.txt
    0:0 644 data/same-a 0100000200040000000000000000000000000000
    0:0 755 dev
    0:0 755 dirs
    0:0 0 dirs/.wh.private
    9:9 755 dirs/suid
    0:0 755 etc
    0:0 0 etc/.wh.abs
    0:0 755 etc/hostname
    0:0 755 etc/hosts
    0:0 777 etc/mtab
    0:0 644 etc/one
    0:0 1777 newdir
    0:0 755 newdir/capfile 0100000200040000000000000000000000000000
    1234:4321 644 newdir/f
    1234:4321 644 newdir/h
    0:0 777 newdir/l
    0:0 644 newdir/p
    0:0 755 opq
    0:0 755 opq/.wh..wh..opq
    0:0 644 opq/f
    0:0 755 proc
    0:0 755 run
    0:0 755 run/.containerenv
    0:0 755 sys
    """
  private let owners = """
    ./data/hl1 100012:200013
    ./data/k70.txt 101000:201000
    ./dirs/big-owner 65534:65534
    ./dirs/suid 100009:200009
    ./etc/one 100000:200000
    ./implied/dir/file 100002:200003
    ./newdir/f 101234:204321
    """

  /// The entries of a layer's archive: owner, mode, name, capability.
  private func entries(of layer: String, _ words: [String], _ root: FilePath) throws -> [Substring] {
    let diff = try run(words + ["diff", "-u", "-f", "\(root)/d.tar", layer])
    #expect(diff.isSuccess, "\(diff)")
    let shown = try shell(
      """
      python3 -c 'import tarfile
      for i in tarfile.open("d.tar"):
          c = i.pax_headers.get("SCHILY.xattr.security.capability", "").encode("utf8", "surrogateescape").hex()
          print(*filter(None, (f"{i.uid}:{i.gid}", f"{i.mode:o}", i.name, c)))'
      """, directory: root)
    return shown.outputText.split(separator: "\n")
  }

  /// What Podman committed has the host's owners where the kernel shifts them, else the container's, without whiteouts.
  private func checkCommit(_ entries: [Substring], isCopy: Bool) throws {
    for line in exported.split(separator: "\n") {
      let fields = line.split(separator: " ")
      let found = entries.first { $0.split(separator: " ")[2] == fields[2] }
      if fields[2].contains("/.wh."), !fields[2].hasSuffix(".wh..wh..opq") {
        #expect((found == nil) == isCopy, "\(line)")
      } else {
        let ids = fields[0].split(separator: ":").compactMap { Int($0) }
        let owner = isCopy ? "\(fields[0])" : "\(ids[0] + 100_000):\(ids[1] + 200_000)"
        #expect(found?.hasPrefix(owner + " ") == true, "\(line), \(found ?? "")")
      }
    }
  }

  @Test(arguments: ["map-shift", "map-copy", "new form"])
  func `They are shown and exported with the right owners`(kind: String) throws {
    try withTemporaryDirectory { root in
      try unpackSample("foreign-layers.tar.zst", into: root)
      let graph = "\(root)/\(kind == "map-copy" ? kind : "map-shift")/G"
      let layers = "\(graph)/overlay-layers/layers.json"
      let layer = try String(
        run("jq", "-r", ".[0].layer", "\(graph)/overlay-containers/containers.json").outputText.dropLast())
      if kind == "new form" {
        let map = "[{container_id:0,host_id:\("$h"),size:65536}]"
        let filter =
          "map(if .id == \"\(layer)\" then . + {uidmap:\(map.replacing("$h", with: "100000")),"
          + "gidmap:\(map.replacing("$h", with: "200000"))} else . end)"
        let changed = try run("jq", filter, layers)
        try FilePath(layers).write(changed.output)
      }
      let words = [try stowageExecutable().string, "-g", graph, "-R", "\(root)/r", "-s", "overlay"]
      defer { _ = try? run(words + ["shutdown", "-f"]) }
      #expect(try entries(of: layer, words, root) == exported.split(separator: "\n"))
      let filter = ".[] | select(.names == [\"localhost/mapped:1\"]) | .layer"
      let committed = String(
        try run("jq", "-r", filter, "\(graph)/overlay-images/images.json").outputText.dropLast())
      try checkCommit(try entries(of: committed, words, root), isCopy: kind == "map-copy")
      let path = String(try run(words + ["mount", "mapped"]).outputText.prefix { $0 != "\n" })
      let names = owners.split(separator: "\n").map { String($0.prefix { $0 != " " }) }
      let found = try run(["sh", "-c", "cd \"$0\" && exec stat -c '%n %u:%g' \"$@\"", path] + names)
      #expect(found.outputText.split(separator: "\n") == owners.split(separator: "\n"), "\(found)")
      #expect(try run(words + ["unmount", "mapped"]).isSuccess)
    }
  }
}
