// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// The two layers of an image whose files have everything that a change of owners could damage, as archives and as the tree
/// that they make together.
struct MappedTree {
  /// Makes the overlay driver record maps as drivers that cannot shift owners do.
  static let unshifted = ["_CONTAINERS_OVERLAY_DISABLE_IDMAP": "yes"]
  /// The maps of the tests, as options.
  static let options = ["--uidmap", "0:100000:1000", "--gidmap", "0:200000:1000"]

  let base: FilePath
  let top: FilePath
  /// The tree that both make.
  let whole: FilePath

  /// Makes archives and tree with GNU tar in an existing directory.
  init(in directory: FilePath) throws {
    base = directory.appending("base.tar")
    top = directory.appending("top.tar")
    whole = directory.appending("whole")
    let made = try shell(
      """
      mkdir base top && cd base && mkdir -p d/e many && echo text > d/f && ln d/f g && ln d/f d/e/h && ln -s /etc l &&
      mkfifo p && chown 7:8 p && mknod c c 300 70000 && chown 9:99 d && echo x > own && chown 50:60 own && chmod 2755 own &&
      echo y > cap && chown 3:4 cap && setfattr -n security.capability -v 0x0100000200000000000000000000000000000000 cap &&
      setfattr -n user.x -v y d/f d && chmod 6755 d/f && chmod 1777 d && chown -h 5:15 l && : > high && chown 2345:5 high &&
      echo 1 > gone && for i in $(seq 600); do : > many/$i; done && printf odd > "$(printf '\\303\\251')" && cd .. &&
      cp -a base whole && rm whole/gone && echo new > top/added && chown 7:12 top/added && : > top/.wh.gone &&
      cp -a top/added whole && find base top whole -depth -exec touch -h -d '2001-02-03 04:05:06' {} + &&
      for t in base top; do
        tar --xattrs --xattrs-include='*' --format=pax --numeric-owner --sort=name -C $t -cf $t.tar .
      done
      """, directory: directory)
    if !made.isSuccess { throw FixtureError(text: made.description) }
  }

  /// Everything below a directory: type, mode, owner, time, size, target, number of names, then all attributes.
  static func listing(_ path: FilePath) throws -> [String] {
    let shown = try shell(
      """
      find . -mindepth 1 -type d -printf '%P|d|%m|%U:%G|%T@\\n' -o -mindepth 1 -printf '%P|%y|%m|%U:%G|%T@|%s|%l|%n\\n' |
        LC_ALL=C sort
      find . -mindepth 1 | LC_ALL=C sort | xargs -d '\\n' getfattr -h -d -m '^user|^security' -e hex
      """, directory: path)
    if !shown.isSuccess { throw FixtureError(text: shown.description) }
    return shown.outputText.split(separator: "\n").map(String.init)
  }

  /// Lines that only one of a directory's listing and the expected one has.
  static func differences(_ path: FilePath, _ expected: [String]) throws -> [String] {
    try Set(listing(path)).symmetricDifference(expected).sorted()
  }

  /// The lines of the whole tree with the owners that the maps make, by hand.
  func mapped() throws -> [String] {
    try Self.listing(whole).map { line in
      var fields = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
      // A capability counts for the root of the maps: revision 3 of the attribute, with 100000 at its end (changes-1.65 2).
      guard fields.count > 4 else {
        return line.replacing(
          "=0x0100000200000000000000000000000000000000", with: "=0x0100000300000000000000000000000000000000a0860100")
      }
      let ids = fields[3].split(separator: ":").compactMap { Int($0) }
      let shown = zip(ids, [100_000, 200_000]).map { id, start in id < 1000 ? id + start : 65534 }
      fields[3] = shown.map(String.init).joined(separator: ":")
      return fields.joined(separator: "|")
    }
  }
}
