// SPDX-License-Identifier: Apache-2.0

import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// ID maps that the store chooses (store-semantics 12, configuration-and-idmaps 14), with subordinate IDs of the test's own,
/// which are put over the machine's in a private mount namespace.
@Suite("Automatic user namespaces", .tags(.root), .enabled(if: isRoot, "mount namespaces need root"))
struct AutomaticNamespaceTests {
  private static let ranges = ["containers:100000:10000", "containers:300000:200000"]

  private func store(_ driver: String = "vfs", _ ranges: [String] = ranges) throws -> SharedStore {
    let store = try SharedStore(driver: driver)
    for name in ["subuid", "subgid"] { try store.write(name, ranges.map { $0 + "\n" }.joined()) }
    return store
  }

  /// Runs a script with `$A`, the example that makes a container, `$P`, Podman, and `$S`, Stowage, on the store.
  private func lines(_ script: String, _ store: SharedStore) throws -> [String] {
    let example = try stowageItself(hasHooks: true).removingLastComponent().appending("automatic-namespace")
    let prelude = """
      mount --bind \(store.directory)/subuid /etc/subuid; mount --bind \(store.directory)/subgid /etc/subgid
      A='\(example) \(store.graph) \(store.runRoot) \(store.driver)'
      P='\(store.podmanWords([]).joined(separator: " "))'; G=\(store.graph); cd \(store.directory)

      """
    return try store.command(["unshare", "--mount", "--propagation", "private", "sh", "-ec", prelude + script]).lines
  }

  /// An image of one layer with a tree that a script makes in the working directory.
  private func image(_ script: String, in store: SharedStore) throws {
    try store.command(["sh", "-ec", "mkdir -p \(store.directory)/tree/etc; cd \(store.directory)/tree; \(script)"])
    let archive = store.directory + "/tree.tar"
    try store.command(["tar", "--numeric-owner", "-C", store.directory + "/tree", "-cf", archive, "."])
    try store.stowage("import-layer", "-r", "--id", "layer", "-f", archive)
    try store.stowage("create-image", "-n", "image", "layer")
  }

  private let accounts = "echo u:x:1999:2000::/: >etc/passwd; echo g:x:100: >etc/group"

  @Test(.tags(.driver, .slow), arguments: availableDrivers)
  func `The specification's example: the sizes, the lowest free ranges, and what was freed again`(driver: String) throws
  {
    let store = try store(driver)
    try image(accounts, in: store)
    let shown = try lines(
      """
      $A image; $A image size=10; $A image size=9500
      $A image initial=70000; $A image size=66000 uid=50:7:2
      """, store)
    #expect(
      shown == [
        "0:100000:2001 0:100000:2001", "0:102001:10 0:102001:10",
        "0:102011:7989,7989:300000:1511 0:102011:7989,7989:300000:1511",
        "error: the container needs a user namespace with size 70000 that is bigger than the maximum value allowed with "
          + "userns=auto 65536",
        "0:301511:50,52:301561:65948,50:7:2 0:301511:66000",
      ])
    // Nothing is left of looking at the files, and the range of a deleted container is taken again.
    #expect(try store.stowage("layers", "-q").lines.count == (driver == "overlay" ? 5 : 9))
    let first = try #require(try store.stowage("containers").lines.first)
    try store.stowage("delete-container", first)
    #expect(try lines("$A image size=7", store) == ["0:100000:7 0:100000:7"])
  }

  @Test func `Owners of files count, too, and the settings limit the size`() throws {
    let store = try store()
    try image("touch f; chown 2500:2900 f", in: store)
    let shown = try lines("$A image; $A image max=2900; $A '' min=5; $A '' user=nobody-here", store)
    #expect(
      shown == [
        "0:100000:2901 0:100000:2901",
        "error: the container needs a user namespace with size 2901 that is bigger than the maximum value allowed with "
          + "userns=auto 2900",
        "0:102901:5 0:102901:5", "error: not enough unused IDs in user namespace",
      ])
  }

  @Test func `Ranges are used from the lowest, in any order and overlapping`() throws {
    let store = try store("vfs", ["containers:800110:10", "containers:800100:10", "containers:800200:10"])
    #expect(try lines("$A '' size=25", store) == ["0:800100:20,20:800200:5 0:800100:20,20:800200:5"])
    #expect(try lines("$A '' size=6; $A '' size=5", store).first == "error: not enough unused IDs in user namespace")
    #expect(try lines("$A '' size=1", store) == ["error: not enough unused IDs in user namespace"])
    let overlapping = try self.store("vfs", ["containers:1000:10", "containers:1005:10", "containers:900:-5"])
    #expect(try lines("$A '' size=15", overlapping) == ["0:1000:15 0:1000:15"])
  }

  @Test(.tags(.driver, .slow), arguments: availableDrivers)
  func `Account files of an image that are links, pipes, devices or garbage do no harm`(driver: String) throws {
    let store = try store(driver)
    try store.write("host-passwd", "u:x:5000:5000::/:\n")
    try image("ln -s \(store.directory)/host-passwd etc/passwd; mkfifo etc/group", in: store)
    #expect(try lines("$A image", store) == ["0:100000:1024 0:100000:1024"])
    // A file of the host counts if the caller names it.
    #expect(try lines("$A image passwd=$PWD/host-passwd", store) == ["0:101024:5001 0:101024:5001"])

    let other = try self.store(driver)
    try image(
      """
      mknod etc/group c 1 5
      printf '%s\\n' nobody:x:9000:9000:: x::: :x:8000:8000 '' a:b x:x:-1:99999999999999999999: y:x:4294967295:1:: \\
        z:x:65534:65534: nogroup:x:1:7000: k:x:3000:12x:: >etc/passwd
      head -c 1000 /dev/urandom >>etc/passwd
      """, in: other)
    #expect(try lines("$A image", other) == ["0:100000:3001 0:100000:3001"])
  }

  @Test func `Requests at the same time get ranges of their own, and wait for the lock`() throws {
    let store = try store()
    let script = "for n in 1 2 3 4 5 6; do $A '' size=100 & done; wait"
    #expect(
      try Set(lines(script, store)) == Set((0..<6).map { "0:\(100_000 + $0 * 100):100 0:\(100_000 + $0 * 100):100" }))
    let hold = """
      import fcntl, os, subprocess, sys, time
      lock = open('\(store.graph)/userns.lock', 'r+')
      fcntl.lockf(lock, fcntl.LOCK_EX)
      child = subprocess.Popen(sys.argv[1:])
      time.sleep(1)
      print('waits' if child.poll() is None else 'does not wait', flush=True)
      fcntl.lockf(lock, fcntl.LOCK_UN)
      child.wait()
      """
    try store.write("hold.py", hold)
    #expect(try lines("python3 hold.py $A '' size=9", store) == ["waits", "0:100600:9 0:100600:9"])
  }

  @Test(.tags(.driver, .slow), arguments: availableDrivers)
  func `Podman and Stowage do not choose what the other one has chosen`(driver: String) throws {
    let store = try store(driver)
    try store.stowage("load", try DemoImage.dockerArchive())
    let image = try store.stowage("images", "-q").line
    // In turns: Podman 4.3.1 locks itself out when somebody else changes the store while it chooses.
    _ = try lines(
      """
      for n in 1 2 3; do
        $A \(image) size=500
        $P create --userns=auto:size=300 --network none \(image) true
        $P create --userns=auto --network none \(image) true
        $A \(image)
      done
      """, store)
    for kind in ["uidmap", "gidmap"] {
      let all = try store.command([
        "jq", "-r", ".[] | .\(kind)[] | \"\\(.host_id) \\(.size)\"",
        "\(store.graph)/\(driver)-containers/containers.json",
      ]).lines.map { $0.split(separator: " ").compactMap { Int($0) } }.sorted { $0[0] < $1[0] }
      #expect(all.count == 12)
      #expect(all.map { $0[1] }.sorted() == [300, 300, 300, 500, 500, 500] + [Int](repeating: 1024, count: 6))
      for (range, next) in zip(all, all.dropFirst()) { #expect(range[0] + range[1] <= next[0], "\(kind): \(all)") }
    }
    try store.stowage("check")
  }
}
