// SPDX-License-Identifier: Apache-2.0
import StowageSystem
import StowageTestSupport
import Synchronization
import SystemPackage
import Testing

/// What gives space back works where no block, or no inode, is left (podman 13967, 16614, 23045).
@Suite("Full disks", .tags(.root, .slow), .enabled(if: canMountVolumes, "mounting needs root")) struct FullDiskTests {
  private static let templates = Mutex<[String: CommandStore]>([:])

  /// A store whose roots are both on a small file system of their own: the copy of one that is made once for each driver.
  private func store(_ driver: String, on volume: SmallVolume) throws -> CommandStore {
    let template = try Self.templates.withLock { templates in
      if let known = templates[driver] { return known }
      let new = try CommandStore(driver)
      new.directory.removeAtExit()
      try fill(new)
      templates[driver] = new
      return new
    }
    let store = try CommandStore(driver)
    let configuration = try FilePath(store.configuration).readText()
    try volume.mount(at: store.directory.path, megabytes: 16)
    try FilePath(store.configuration).write(configuration)
    // What the reserve keeps is no hole.
    try #require(try run("cp", "-a", "--sparse=never", template.graphRoot, store.graphRoot).isSuccess)
    try #require(try store("mount", "mounted").isSuccess)
    return store
  }

  private func fill(_ store: CommandStore) throws {
    for number in 1...3 {
      try #require(try store("create-layer", "--id", "layer\(number)").isSuccess)
      try #require(try store("create-image", "-n", "image\(number)", "layer\(number)").isSuccess)
    }
    for name in ["mounted", "kept"] {
      try #require(try store("create-container", "-n", name, "--id", name, "image1").isSuccess)
    }
    try #require(try store("create-layer", "--id", "lone").isSuccess)
    _ = try store("shutdown", "-f")
  }

  private static let forms = ["vfs", "overlay"].flatMap { driver in Exhaustion.allCases.map { (driver, $0) } }

  @Test(.tags(.driver), arguments: Sweep.steps(of: forms.count, sample: 1).map { forms[$0 - 1] })
  func `Deleting works with nothing left`(driver: String, what: Exhaustion) throws {
    let store = try store(driver, on: .ext4)
    // Each command finds a full disk, whatever the one before it has freed.
    for command in [
      ["unmount", "mounted"], ["delete-container", "mounted"], ["delete-image", "image2"], ["delete-layer", "lone"],
      ["gc"], ["check", "--quick", "--repair"], ["delete", "kept"], ["shutdown"], ["wipe"],
    ] {
      try what.exhaust(store.directory.path)
      let result = try store.run(command)
      #expect(result.isSuccess, "\(command): \(result)")
    }
    #expect(try store("layers").outputText.isEmpty)
    #expect(try store("images").outputText.isEmpty)
  }

  @Test func `Memory with a limit on inodes is no dead end either`() throws {
    let store = try store("overlay", on: .tmpfs)
    for command in [["unmount", "mounted"], ["delete-container", "mounted"], ["delete-image", "image2"], ["wipe"]] {
      try Exhaustion.inodes.exhaust(store.directory.path)
      let result = try store.run(command)
      #expect(result.isSuccess, "\(command): \(result)")
    }
  }

  /// Stores of other programs have no reserve: the empty directories of layers that are not mounted are given up.
  @Test(arguments: Exhaustion.allCases)
  func `A store without reserve gives up its mount points`(what: Exhaustion) throws {
    let store = try store("overlay", on: .ext4)
    try #require(try store("unmount", "mounted").isSuccess)
    _ = try run("rm", "-r", store.graphRoot + "/space-reserve")
    try what.exhaust(store.directory.path)
    let result = try store("delete-image", "image2")
    #expect(result.isSuccess, "\(result)")
    _ = try shell("rm -f \(store.directory.path)/fill-*")
    #expect(try store("mount", "kept").isSuccess)
  }

  @Test func `A refused deletion keeps the reserve`() throws {
    let store = try store("vfs", on: .ext4)
    try Exhaustion.blocks.exhaust(store.directory.path)
    #expect(try !store("delete-image", "image1").isSuccess)
    #expect(try FilePath(store.graphRoot + "/space-reserve").names().count >= 6)
    #expect(try store("check", "--quick").isSuccess)
    #expect(try store("delete", "kept").isSuccess)
  }

  @Test(.tags(.interop), .enabled(if: commandExists("containers-storage"), "containers-storage"))
  func `Another program neither sees the reserve nor minds it`() throws {
    let store = try CommandStore("vfs")
    try #require(try store("create-layer", "--id", "layer").isSuccess)
    #expect(FilePath(store.graphRoot + "/space-reserve").exists)
    let other = try run("containers-storage", "-g", store.graphRoot, "-R", store.runRoot, "-s", "vfs", "layers")
    #expect(other.outputText == "layer\n" && other.isSuccess, "\(other)")
  }

  @Test func `A load that lacks temporary space names the place, and leaves nothing`() throws {
    let store = try CommandStore("vfs")
    let place = store.directory.appending("small")
    try Syscall.mkdir(place, mode: 0o700)
    try SmallVolume.tmpfs.mount(at: place, megabytes: 1)
    let archive = store.directory.appending("archive")
    try archive.write([UInt8](repeating: 0, count: 3 << 20))
    _ = try run("gzip", "-k", archive.string)
    let piped = try shell(
      "cat \(archive) | TMPDIR=\(place) \(store.words(["load", "-q"]).joined(separator: " "))")
    let packed = try store("load", "-q", archive.string + ".gz", adding: ["TMPDIR": place.string])
    for result in [piped, packed] {
      #expect(result.errorText.contains("temporary file in \(place), which takes more than 1048576 bytes"), "\(result)")
      #expect(result.errorText.contains("TMPDIR"))
    }
    #expect(try place.names().isEmpty)
  }

  @Test(arguments: ["vfs", "overlay"])
  func `A load that fills the store leaves nothing of itself`(driver: String) throws {
    let store = try store(driver, on: .ext4)
    try #require(try store("unmount", "mounted").isSuccess)
    try Exhaustion.blocks.exhaust(store.directory.path)
    let result = try store("load", "-q", fixture("samples/sample-docker-archive.tar").string)
    #expect((result.outputText + result.errorText).contains("no space left on device"), "\(result)")
    #expect(try store("delete", "kept").isSuccess)
    let rest = try store("gc")
    #expect(rest.isSuccess && rest.errorText.isEmpty, "\(rest)")
    #expect(try store("images").outputText.split(separator: "name:").count == 4)
  }
}
