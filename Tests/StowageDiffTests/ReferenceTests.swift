// SPDX-License-Identifier: Apache-2.0

import StowageCompression
import StowageDiff
import StowageModel
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Compares with the reference's command line, version 1.43 of Debian, on a store it has made itself.
@Suite(
  "Compared with the reference", .tags(.root, .interop),
  .enabled(if: isRoot && commandExists("containers-storage"), "needs containers-storage and root for its mounts"))
struct ReferenceTests {
  /// Clears what 1.43 writes and later versions do not: account names and file type bits (archive-and-diff 3.3).
  private static let normalize = """
    import sys
    data = bytearray(open(sys.argv[1], 'rb').read())
    at = 0
    while at < len(data) and data[at:at + 512] != bytes(512):
        block = data[at:at + 512]
        size = int(block[124:135], 8)
        if block[156:157] != b'x':
            mode = int(block[100:107], 8) & 0o7777
            block[100:107] = b'%07o' % mode
            block[265:329] = bytes(64)
            block[148:156] = b' ' * 8
            block[148:156] = b'%06o\\0 ' % sum(block)
            data[at:at + 512] = block
        at += 512 + (size + 511) // 512 * 512
    open(sys.argv[2], 'wb').write(data)
    """

  private func changeScript(_ mount: String) -> String {
    """
    cd \(mount) && rm d/f1 d/f2 top && rm -rf rep && mkdir rep && echo new > rep/n && echo hl > h1 && ln h1 h2 &&
    ln h1 d/h3 && ln -s h1 sl && python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('sock')" && echo x > attr &&
    setfattr -n user.x -v 1 attr && setfattr -n trusted.x -v 1 attr &&
    setfattr -n security.capability -v 0x0100000200000000000000000000000000000000 attr && ln attr attr2 && touch big &&
    chown 70000000 big && touch $(printf 'n%.0s' $(seq 120)) && mkdir -p lo/$(printf 'p%.0s' $(seq 60)) &&
    touch lo/$(printf 'p%.0s' $(seq 60))/$(printf 'q%.0s' $(seq 60)) && ln -s x lnk1 && ln lnk1 lnk2 && mkfifo ff && ln ff ff2 &&
    mknod dev c 300 70000 && touch -d @1500000000.7 big && mkdir aa/y && chmod 4755 d/f3 && rm -r e && : > e
    """
  }

  @Test func `Native diff and changes of a changed layer are the same bytes and lines (checks 10 and 11)`() throws {
    try withTemporaryDirectory { root in
      let script = """
        set -e
        mkdir -p base/d base/aa base/rep base/e
        for f in d/f1 d/f2 d/f3 aa/x rep/a rep/b top; do echo $f > base/$f; done
        find base -exec touch -h -d @1000000 {} +
        tar --numeric-owner -C base -cf base.tar .
        CS="containers-storage --graph \(root)/g --run \(root)/r --storage-driver overlay"
        B=$($CS import-layer -f base.tar)
        C=$($CS create-layer $B)
        M=$($CS mount $C)
        (\(changeScript("$M")))
        $CS unmount $C > /dev/null
        $CS diff -u $C > cs.raw
        $CS changes $C > cs.changes
        python3 -c "$NORMALIZE" cs.raw cs.tar
        echo $B $C
        """
      try root.appending("normalize.py").write(Self.normalize)
      let made = try shell("NORMALIZE=\"$(cat normalize.py)\"\n" + script, directory: root)
      defer {
        _ = try? shell(
          "containers-storage --graph \(root)/g --run \(root)/r --storage-driver overlay wipe; umount \(root)/g/overlay",
          directory: root)
      }
      #expect(made.isSuccess, "\(made)")
      let ids = made.outputText.split(whereSeparator: \.isWhitespace).map(String.init)
      guard ids.count == 2 else { return }
      let (lower, upper) = (root.appending("g/overlay/\(ids[0])/diff"), root.appending("g/overlay/\(ids[1])/diff"))
      let ours = try overlayDiff(upper, [lower])
      #expect(try ours == root.appending("cs.tar").readBytes())
      let names: [Change.Kind: String] = [.add: "Add", .modify: "Modify", .delete: "Delete"]
      let lines = try overlayChanges(upper: upper, lowers: [lower]).map {
        "\(names[$0.kind] ?? "") \(goQuoted(bytes: $0.path))\n"
      }
      #expect(try lines.joined() == root.appending("cs.changes").readText())
    }
  }

  @Test func `A tar-split file of the reference is read, and its digests are ours`() throws {
    try withTemporaryDirectory { root in
      let made = try shell(
        """
        set -e
        mkdir -p s/d && seq 3000 > s/d/n && ln s/d/n s/h && printf x > "$(printf 's/\\377<&>')" && ln -s d s/l
        tar --format=pax -C s -cf a.tar .
        CS="containers-storage --graph \(root)/g --run \(root)/r --storage-driver overlay"
        $CS import-layer -f a.tar
        """, directory: root)
      defer {
        _ = try? shell(
          "containers-storage --graph \(root)/g --run \(root)/r --storage-driver overlay wipe; umount \(root)/g/overlay",
          directory: root)
      }
      #expect(made.isSuccess, "\(made)")
      let id = made.outputText.filter { !$0.isWhitespace }
      let archive = try root.appending("a.tar").readBytes()
      let sink = BytesSink()
      try reassembleLayer(
        tarSplit: root.appending("g/overlay-layers/\(id).tar-split.gz"),
        roots: [root.appending("g/overlay/\(id)/diff")],
        to: sink)
      #expect(sink.bytes == archive)
      let result = try apply(archive, to: root.appending("t"))
      #expect(try root.appending("g/overlay-layers/layers.json").readText().contains(result.diffDigest.description))
      let format = "%P|%y|%m|%U:%G|%T@|%s|%l|%n"
      #expect(try listing(root.appending("t"), format) == listing(root.appending("g/overlay/\(id)/diff"), format))
    }
  }
}
