// SPDX-License-Identifier: Apache-2.0

package import StowageFiles
package import StowageModel
internal import StowageSystem
package import SystemPackage

/// The lock files of one store part, used as one lock.
///
/// With a split image store the layers have two lock files: both are taken, in order, and a write is announced in both
/// (store-semantics 25.2.3). Freshness is judged by all of them (store-semantics 27.1.25).
package final class LockGroup: Sendable {
  private let files: [LockFile]
  fileprivate let ranks: [LockRank]
  private let timeout: Duration?

  /// Creates missing lock files (0644), unless read-only. `ranks` may be longer than `paths`.
  ///
  /// - Parameter timeout: how long an acquisition may wait; nil for ever.
  package init(_ paths: [FilePath], isReadOnly: Bool, ranks: [LockRank], timeout: Duration?) throws(StorageError) {
    var files: [LockFile] = []
    for path in paths { files.append(try LockFile.open(path, readOnly: isReadOnly)) }
    self.files = files
    self.ranks = Array(ranks.prefix(paths.count))
    self.timeout = timeout
  }

  /// Takes all locks, waiting for them.
  ///
  /// - Throws: `busy` after the time limit.
  package func acquire(_ kind: HeldGroup.Kind) throws(StorageError) -> HeldGroup {
    try kind == .exclusive
      ? LockGroup.acquire(exclusive: [self], shared: []) : LockGroup.acquire(exclusive: [], shared: [self])
  }

  /// Takes the locks of several groups, all in one go: no circle of waiting processes can form, in whatever order their
  /// stores name each other (store-semantics 27.2.1).
  ///
  /// - Throws: `busy` after the time limit of the first group.
  static func acquire(exclusive: [LockGroup], shared: [LockGroup]) throws(StorageError) -> HeldGroup {
    let requests = exclusive.flatMap { $0.requests(.write) } + shared.flatMap { $0.requests(.read) }
    var set = LockSet()
    try set.acquireTogether(requests, timeout: (exclusive + shared).first?.timeout)
    return HeldGroup(set: set)
  }

  private func requests(_ kind: LockKind) -> [LockSet.Request] {
    zip(files, ranks).map { LockSet.Request($0, kind, rank: $1) }
  }
}

/// Held locks of one or more ``LockGroup``s; ends with ``release()``.
package struct HeldGroup: ~Copyable, Sendable {
  /// Who else may hold the lock.
  package enum Kind: Sendable {
    /// Other readers.
    case shared
    /// Nobody.
    case exclusive
  }

  private let set: LockSet

  fileprivate init(set: consuming LockSet) { self.set = set }

  /// The marks of the last writers of a group, one per lock file.
  package func tokens(of group: LockGroup) throws(StorageError) -> [LastWrite] {
    var tokens: [LastWrite] = []
    for rank in group.ranks {
      if let access = set.readAccess(rank) { tokens.append(try access.lastWrite()) }
    }
    return tokens
  }

  /// Announces a write in every lock file of a group.
  ///
  /// - Returns: the marks written, to be compared with ``tokens(of:)`` later.
  package func recordWrite(of group: LockGroup) throws(StorageError) -> [LastWrite] {
    var tokens: [LastWrite] = []
    for rank in group.ranks {
      guard let access = set.writeAccess(rank) else { throw StorageError(.readOnlyStore) }
      tokens.append(try access.recordWrite())
    }
    return tokens
  }

  /// Gives the locks up.
  package consuming func release() {}
}
