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

  /// Takes several locks, never waiting for one while holding another of them.
  ///
  /// Processes whose stores name each other may want the same files in opposite orders (store-semantics 27.2.1). So only
  /// one lock is waited for: first the one that ranks first, and if another turns out not to be free, all of this call are
  /// given up and that one is waited for next, the others being tried without waiting. Nobody who waits holds anything of
  /// the group, so no circle of waiting processes can form. Locks the set held before are kept.
  ///
  /// - Parameter timeout: the longest time for all of them together; nil for ever.
  /// - Throws: `busy` when the time is over, `system`.
  package mutating func acquireTogether(_ requests: [Request], timeout: Duration? = nil) throws(StorageError) {
    let ordered = requests.sorted { $0.rank < $1.rank }
    guard let first = ordered.first else { return }
    checkOrder(first.rank)
    let kept = holds.count
    let wait: LockWait = timeout.map { .until(deadline(after: $0)) } ?? .forever
    var waitedFor = 0
    while true {
      guard let lock = try ordered[waitedFor].file.acquire(ordered[waitedFor].kind, wait) else {
        throw ordered[waitedFor].file.busy(after: timeout)
      }
      guard let missing = try acquireRest(ordered, except: waitedFor) else {
        holds.append(Hold(rank: ordered[waitedFor].rank, lock: lock))
        holds.sort { $0.rank < $1.rank }
        return
      }
      lock.release()
      while holds.count > kept { holds.removeLast() }
      waitedFor = missing
      // Jitter, so that two peers do not take turns for long in taking one lock each.
      usleep(UInt32.random(in: 0...2000))
    }
  }

  /// Tries all but one; the index of the first that is not free, or nil if all are held now.
  private mutating func acquireRest(_ requests: [Request], except taken: Int) throws(StorageError) -> Int? {
    for (index, request) in requests.enumerated() where index != taken {
      guard let lock = try request.file.tryAcquire(request.kind) else { return index }
      holds.append(Hold(rank: request.rank, lock: lock))
    }
    return nil
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
