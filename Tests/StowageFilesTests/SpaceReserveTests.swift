// SPDX-License-Identifier: Apache-2.0
import StowageFiles
import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Space that is given up for deletions on full file systems.
@Suite("Reserved space", .tags(.root), .enabled(if: canMountVolumes, "mounting needs root")) struct SpaceReserveTests {
  private func names(_ place: FilePath) throws -> [String] {
    let directory = place.appending("space-reserve")
    return directory.exists ? try directory.names() : []
  }

  private func freeBytes(_ place: FilePath) throws -> UInt64 {
    let info = try Syscall.statfs(place)
    return info.availableBlocks * info.blockSize
  }

  @Test(arguments: SmallVolume.allCases, Exhaustion.allCases)
  func `It is kept, given up when nothing is left, and taken back`(volume: SmallVolume, what: Exhaustion) throws {
    try withTemporaryDirectory { place in
      try volume.mount(at: place, megabytes: 8, inodes: 300)
      let reserve = SpaceReserve(in: [place], for: [])
      reserve.refill()
      #expect(try names(place) == (0..<8).map(String.init))
      #expect(reserve.prepare())
      reserve.finish()
      #expect(try names(place).count == 8, "nothing is given up while there is room")

      try what.exhaust(place)
      let another = SpaceReserve(in: [place], for: [])
      #expect(another.prepare())
      #expect(try names(place).isEmpty)
      let content = [UInt8](repeating: 1, count: 60_000)
      try AtomicFile.replace(place.appending("record"), contents: content, durability: .full)
      for name in ["a", "b"] { try Syscall.mkdir(place.appending(name), mode: 0o700) }
      for name in ["a", "b"] { try Syscall.rmdir(place.appending(name)) }
      try Syscall.unlink(place.appending("record"))
      another.refill()
      #expect(try names(place).isEmpty, "a deletion is under way")
      another.finish()
      #expect(try names(place).count >= 7)
    }
  }

  @Test func `It is not made where little is free, nor twice on one file system`() throws {
    try withTemporaryDirectory { directory in
      let place = directory.appending("small")
      try Syscall.mkdir(place, mode: 0o700)
      try SmallVolume.tmpfs.mount(at: place, megabytes: 1)
      let below = place.appending("below")
      try Syscall.mkdir(below, mode: 0o700)
      let missing = directory.appending("missing")
      SpaceReserve(in: [missing, place], for: []).refill()
      #expect(try place.names() == ["below"])
      _ = try run("mount", "-o", "remount,size=8m", place.string)
      SpaceReserve(in: [missing, place, below], for: []).refill()
      #expect(try names(place).count == 8)
      #expect(try names(below).isEmpty)
    }
  }

  @Test func `It grows with the files that are written anew`() throws {
    try withTemporaryDirectory { place in
      try SmallVolume.tmpfs.mount(at: place, megabytes: 64)
      let record = place.appending("record")
      try record.write([UInt8](repeating: 1, count: 1 << 20))
      let before = try freeBytes(place)
      SpaceReserve(in: [place], for: [record]).refill()
      #expect(before - (try freeBytes(place)) >= 2 << 20)
    }
  }
}
