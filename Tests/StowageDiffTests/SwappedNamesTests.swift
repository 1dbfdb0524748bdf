// SPDX-License-Identifier: Apache-2.0

import StowageDiff
import StowageFiles
import StowageModel
import StowageSystem
import StowageTestSupport
import Synchronization
import SystemPackage
import Testing

/// What a process in a container may do while the host works in its tree: exchange names with links to files of the host, FIFOs
/// and devices. Such work may fail, but it may not wait, and not change anything outside.
@Suite("Trees whose names are exchanged meanwhile", .tags(.root), .enabled(if: isRoot, "devices are made"))
struct SwappedNamesTests {
  /// A victim outside of a tree, with a thread that keeps exchanging `d/s` in the tree with `e`.
  private final class Attack: Sendable {
    let place: TemporaryDirectory
    var tree: FilePath { place.appending("tree") }
    private let victim: FilePath
    private let before: FileStatus
    private let isOver = Atomic<Bool>(false)

    init() throws {
      place = try TemporaryDirectory("swap")
      victim = place.appending("victim")
      try victim.write("host", mode: 0o600)
      before = try Syscall.lstat(victim)
      try Syscall.mkdir(place.appending("tree"), mode: 0o755)
    }

    private func rush(_ rounds: Int, _ body: () throws -> Void) throws {
      for _ in 0..<rounds {
        // That a name was exchanged may be an error.
        do { try body() } catch is StorageError {}
        let now = try Syscall.lstat(victim)
        try #require(now == before, "the file of the host was changed")
      }
    }

    /// Runs `body` again and again while names are exchanged, starting from each of the four kinds of things to exchange with:
    /// so often for each, or as often in all as `STOWAGE_SWAP_ROUNDS` says.
    func run(rounds: Int, _ body: () throws -> Void) throws {
      let rounds = environmentValue("STOWAGE_SWAP_ROUNDS").flatMap { Int($0) }.map { $0 / 4 } ?? rounds
      for kind in ["ln -s \(victim) e", "mkfifo e", "mknod e c 1 3", "touch e"] {
        isOver.store(false, ordering: .relaxed)
        _ = try shell("rm -rf d e && mkdir -m 700 d d/s && \(kind)", directory: tree)
        let directory = try Syscall.open(tree, [.readOnly, .directory])
        let (handle, attack) = (directory.rawValue, self)
        let thread = try PlainThread {
          while !attack.isOver.load(ordering: .relaxed) {
            // The other thread may have replaced or removed one of them: then there is one again.
            if (try? Syscall.renameat2(handle, "d/s", handle, "e", flags: .exchange)) == nil {
              try? Syscall.symlinkat(target: attack.victim.string, handle, "e")
              try? Syscall.mkdirat(handle, "d", mode: 0o700)
              try? Syscall.mkdirat(handle, "d/s", mode: 0o700)
            }
          }
        }
        let outcome = Result { try rush(rounds, body) }
        isOver.store(true, ordering: .relaxed)
        thread.join()
        try outcome.get()
      }
      #expect(try victim.readText() == "host")
    }
  }

  @Test(.tags(.slow)) func `A copy changes nothing outside`() throws {
    let attack = try Attack()
    let source = attack.place.appending("source")
    _ = try shell("mkdir -p source/s && chmod 777 source/s", directory: attack.place.path)
    try attack.run(rounds: 400) {
      try copyObject(
        from: try TreePlace(root: "/", path: source.string), to: try TreePlace(root: attack.tree, path: "d"),
        owner: nil,
        inUserNamespace: false, cancellation: nil)
    }
  }

  @Test func `A mapped copy of the tree takes nothing from outside`() throws {
    let attack = try Attack()
    let copy = attack.place.appending("copy")
    let maps = IDMaps(uids: [IDMapping(containerID: 0, hostID: 1000, size: 9)])
    let options = CopyOptions(shift: try OwnerShift(from: IDMaps(), to: maps))
    try attack.run(rounds: 100) {
      defer { _ = try? removeTree(copy) }
      try Syscall.mkdir(copy, mode: 0o755)
      // A name that is exchanged while it is copied may be an error.
      do throws(StorageError) { try copyTree(from: attack.tree, to: copy, options: options) } catch {}
      try walkTree(at: copy) { (entry) throws(StorageError) in
        #expect(entry.status.kind != .regular || entry.status.size == 0, "a file of the host was copied")
        return .enter
      }
    }
  }

  @Test func `Comparing the tree and sharing its blocks reads nothing outside`() throws {
    let attack = try Attack()
    try attack.run(rounds: 100) {
      _ = try compareTree(at: attack.tree, with: ExpectedTree(), maps: IDMaps(), ComparisonLimits())
      try FileSharing(.sha256).add(attack.tree)
      _ = try diskUsage(of: attack.tree)
    }
  }

  @Test(.tags(.slow), arguments: [ApplyOptions(), plain])
  func `An archive changes nothing outside`(options: ApplyOptions) throws {
    let attack = try Attack()
    var archive = Archive()
    archive.directory("d/s", mode: 0o777, uid: 5, gid: 6, attributes: [("user.a", "b")])
    archive.file("d/s/f", "written", mode: 0o777)
    archive.hardLink("d/h", "d/s", mode: 0o777)
    archive.file("d/.wh.t")
    let bytes = try archive.bytes()
    try attack.run(rounds: 150) { try apply(bytes, to: attack.tree, options) }
  }

  @Test func `Removal removes nothing outside`() throws {
    let attack = try Attack()
    try attack.run(rounds: 100) { try removeTree(attack.tree.appending("d")) }
  }

  @Test func `A change of owners changes nothing outside`() throws {
    let attack = try Attack()
    let tree = try Syscall.open(attack.tree, [.readOnly, .directory])
    let handle = tree.rawValue
    let maps = [
      IDMaps(), IDMaps(uids: [IDMapping(containerID: 0, hostID: 1000, size: 9)]),
    ]
    var round = 0
    try attack.run(rounds: 100) {
      round += 1
      try changeOwners(
        below: handle,
        OwnerChangeOptions(try OwnerShift(from: maps[round % 2], to: maps[(round + 1) % 2]), touchesAll: true))
    }
  }
}
