// SPDX-License-Identifier: Apache-2.0
internal import Glibc
package import StowageModel
package import StowageSystem

/// The place of a lock in the global order of acquisition (on-disk-format 11.1).
package enum LockRank: Hashable, Comparable, Sendable {
  /// `userns.lock`.
  case userNamespace
  /// `storage.lock`.
  case storage
  /// The graph root's `layers.lock`.
  case layers
  /// The image store's `layers.lock`.
  case imageStoreLayers
  /// `layers.lock` of an additional store, by its position.
  case additionalLayers(Int)
  /// The primary `images.lock`.
  case images
  /// Any further `images.lock`, in search order: the graph root's when there is an image store, then additional ones.
  case secondaryImages(Int)
  /// `containers.lock`; 1 for the second one of a transient store.
  case containers(Int)
  /// `mountpoints.lock`, the innermost.
  case mounts
}

/// Several locks taken in the global order.
///
/// Taking a lock that ranks before one already held is a programmer's fault: debug builds trap. All locks are released at
/// the end of the set's life.
package struct LockSet: ~Copyable, Sendable {
  private final class Hold: Sendable {
    let rank: LockRank
    let core: HeldLock
    init(rank: LockRank, lock: consuming HeldLock) {
      self.rank = rank
      core = lock
    }
  }
  /// A lock to be taken by ``acquireTogether(_:)``.
  package struct Request: Sendable {
    var file: LockFile
    var kind: LockKind
    var rank: LockRank

    /// A lock, how it is wanted and its place in the order.
    package init(_ file: LockFile, _ kind: LockKind, rank: LockRank) {
      self.file = file
      self.kind = kind
      self.rank = rank
    }
  }

  private var holds: [Hold] = []

  /// An empty set.
  package init() {}

  /// Takes one more lock, waiting for it.
  package mutating func acquire(
    _ file: LockFile, _ kind: LockKind, rank: LockRank, timeout: Duration? = nil
  ) throws(StorageError) {
    checkOrder(rank)
    holds.append(Hold(rank: rank, lock: try file.acquire(kind, timeout: timeout)))
  }

  /// Takes several locks; the second and later ones without waiting while others are held.
  ///
  /// Processes whose stores name each other may want the same files in opposite orders. If a later lock is not free, the
  /// earlier ones of this call are given up, and after a short random pause everything is tried again
  /// (store-semantics 27.2.1). Locks the set held before are kept.
  package mutating func acquireTogether(_ requests: [Request]) throws(StorageError) {
    let ordered = requests.sorted { $0.rank < $1.rank }
    guard let first = ordered.first else { return }
    checkOrder(first.rank)
    let kept = holds.count
    var round = 0
    while true {
      holds.append(Hold(rank: first.rank, lock: try first.file.acquire(first.kind)))
      if try acquireRest(ordered.dropFirst()) { return }
      while holds.count > kept { holds.removeLast() }
      round += 1
      // 1 ms at first, doubling up to 64 ms, with jitter so that two peers do not meet again.
      let ceiling = UInt32(1000) << UInt32(min(round, 6))
      usleep(UInt32.random(in: 500...ceiling))
    }
  }

  private mutating func acquireRest(_ requests: ArraySlice<Request>) throws(StorageError) -> Bool {
    for request in requests {
      guard let lock = try request.file.tryAcquire(request.kind) else { return false }
      holds.append(Hold(rank: request.rank, lock: lock))
    }
    return true
  }

  /// True if a lock of that rank is held.
  package func holds(_ rank: LockRank) -> Bool { holds.contains { $0.rank == rank } }

  /// The capability of a held lock; nil if it is not in the set. Must not outlive the set.
  package func readAccess(_ rank: LockRank) -> ReadAccess? {
    for hold in holds where hold.rank == rank { return hold.core.readAccess }
    return nil
  }

  /// The capability of a lock held for writing; nil if it is not in the set or held for reading. Must not outlive the set.
  package func writeAccess(_ rank: LockRank) -> WriteAccess? {
    for hold in holds where hold.rank == rank && hold.core.kind == .write { return hold.core.writeAccess }
    return nil
  }

  /// Gives up one lock early.
  package mutating func release(_ rank: LockRank) { holds.removeAll { $0.rank == rank } }

  private func checkOrder(_ rank: LockRank) {
    #if DEBUG
      if let last = holds.last?.rank, last > rank {
        preconditionFailure("lock \(rank) taken after \(last): the global order is reversed")
      }
    #endif
  }
}
