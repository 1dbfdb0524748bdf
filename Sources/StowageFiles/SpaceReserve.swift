// SPDX-License-Identifier: Apache-2.0
package import StowageModel
internal import StowageSystem
internal import Synchronization
package import SystemPackage

/// Space and inodes kept back on the file systems of a store, so that things can be deleted when nothing else is free.
///
/// On disk: `<place>/space-reserve` (mode 0700) with some files of allocated, unwritten space, on each file system of the
/// store once. What gives space back gives it up when there is no room, and it is made again when there is plenty. Nobody
/// needs it to be there, so several processes may make it and give it up at once, and a crash leaves a part of it at worst.
package final class SpaceReserve: Sendable {
  /// The number of files: each keeps an inode back.
  private static let pieces = 8
  /// The least size of a file, in bytes. XFS asks for some hundred kilobytes before it makes a file.
  private static let leastSize: Int64 = 64 << 10
  /// Inodes that a deletion may need: bins with their locks, and the temporary files of records.
  private static let inodes: UInt64 = 8

  private let places: [FilePath]
  private let records: [FilePath]
  private let state = Mutex(State())

  private struct State: Sendable {
    /// How many deletions are under way.
    var users = 0
    /// All of it was found or made by this process.
    var isFull = false
    /// This process gave it up, and takes it back when it can.
    var isGivenUp = false
  }

  /// Names the directories to keep space in. Those that are missing, or on the file system of an earlier one, have none.
  ///
  /// - Parameter records: files that are written anew at a deletion; the reserve is larger than twice their size.
  package init(in places: [FilePath], for records: [FilePath]) {
    self.places = places
    self.records = records
  }

  /// Begins a deletion: gives up what is kept where there is no room for it. To be followed by ``finish()``.
  ///
  /// - Returns: whether there seems to be room everywhere now.
  @discardableResult
  package func prepare() -> Bool {
    state.withLock { $0.users += 1 }
    var hasRoom = true
    for place in distinctPlaces where !self.hasRoom(in: place) {
      giveUp(in: place)
      if !self.hasRoom(in: place) { hasRoom = false }
    }
    return hasRoom
  }

  /// Ends a deletion: takes back what was given up, as far as that is free.
  package func finish() {
    state.withLock { $0.users -= 1 }
    refill()
  }

  /// Makes what is missing where plenty is free, unless a deletion is under way.
  package func refill() {
    let known = state.withLock { $0 }
    if known.isFull || known.users > 0 { return }
    var isComplete = true
    for place in distinctPlaces {
      do throws(Errno) {
        var isDue = known.isGivenUp
        if !isDue { isDue = try hasPlenty(place) }
        if isDue { try fill(place.appending(SpaceReserve.name)) } else { isComplete = false }
      } catch {
        // What was got of it is kept.
        isComplete = false
        Log.debug("cannot keep all space back in \(place): \(error.referenceText)")
      }
    }
    if isComplete { state.withLock { ($0.isFull, $0.isGivenUp) = (true, false) } }
  }

  /// Runs `body`, a second time with the reserve given up if nothing was free.
  package func usedIfNeeded<R>(_ body: () throws(StorageError) -> R) throws(StorageError) -> R {
    do throws(StorageError) { return try body() } catch {
      guard error.isOutOfSpace else { throw error }
      Log.debug("giving up reserved space: \(error)")
      prepare()
      defer { finish() }
      return try body()
    }
  }

  // MARK: One file system

  private static let name = FilePath.Component("space-reserve")

  /// The places that exist, one for each file system.
  private var distinctPlaces: [FilePath] {
    var devices: Set<UInt64> = []
    return places.filter { place in
      // What cannot be examined has no place for a reserve.
      guard let status = try? Syscall.stat(place), status.isDirectory else { return false }
      return devices.insert(status.device).inserted
    }
  }

  /// The size of a file, in bytes.
  private var size: Int64 {
    // A record file that is not there takes nothing.
    let needed = records.reduce(0) { $0 + ((try? Syscall.stat($1))?.size ?? 0) }
    return max(SpaceReserve.leastSize, (needed * 2 / Int64(SpaceReserve.pieces) / 4096 + 1) * 4096)
  }

  /// Tries to get the space that a deletion may need. Where that cannot be tried, there is room.
  private func hasRoom(in place: FilePath) -> Bool {
    do throws(Errno) {
      let info = try Syscall.statfs(place)
      if info.files > 0, info.freeFiles < SpaceReserve.inodes { return false }
      let size = size * Int64(SpaceReserve.pieces)
      if Int64(clamping: info.freeBlocks) < size / Int64(clamping: max(1, info.blockSize)) { return false }
      // Quotas are not seen otherwise.
      let file = try Syscall.open(place, [.readWrite, .temporary], mode: 0o600)
      try Syscall.allocate(file.rawValue, size: size)
      return true
    } catch {
      return !error.isOutOfSpace
    }
  }

  private func giveUp(in place: FilePath) {
    state.withLock { ($0.isFull, $0.isGivenUp) = (false, true) }
    let directory = place.appending(SpaceReserve.name)
    // It may be gone, in part or as a whole; what stays is found again.
    for piece in 0..<SpaceReserve.pieces { try? Syscall.unlink(directory.appending("\(piece)")) }
    try? Syscall.rmdir(directory)
  }

  /// Whether so much is free that keeping some of it back disturbs nobody.
  private func hasPlenty(_ place: FilePath) throws(Errno) -> Bool {
    let info = try Syscall.statfs(place)
    let wanted = UInt64(size) * UInt64(SpaceReserve.pieces) * 8
    return info.availableBlocks * max(1, info.blockSize) > wanted
      && (info.files == 0 || info.freeFiles > SpaceReserve.inodes * 16)
  }

  private func fill(_ directory: FilePath) throws(Errno) {
    let size = size
    // A file that is not there is too short.
    let missing = (0..<SpaceReserve.pieces).map { directory.appending("\($0)") }
      .filter { ((try? Syscall.lstat($0))?.size ?? 0) < size }
    if missing.isEmpty { return }
    do throws(Errno) { try Syscall.mkdir(directory, mode: 0o700) } catch .fileExists {}
    for path in missing {
      let file = try Syscall.open(path, [.readWrite, .create, .noFollow], mode: 0o600)
      try Syscall.allocate(file.rawValue, size: size)
    }
  }
}

extension StorageError {
  /// Whether a file system, or a quota, had nothing left.
  package var isOutOfSpace: Bool { errno?.isOutOfSpace ?? false }
}
