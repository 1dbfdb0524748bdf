// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageModel
internal import StowageSystem
internal import SystemPackage

/// The lock files of one store part, used as one lock.
///
/// With a split image store the layers have two lock files: both are taken, in order, and a write is announced in both
/// (store-semantics 25.2.3). Freshness is judged by all of them (27.1.25).
final class LockGroup: Sendable {
  private let files: [LockFile]
  private let ranks: [LockRank]
  private let timeout: Duration?

  /// Creates missing lock files (0644), unless read-only. `ranks` may be longer than `paths`.
  ///
  /// - Parameter timeout: how long an acquisition may wait; nil for ever.
  init(_ paths: [FilePath], isReadOnly: Bool, ranks: [LockRank], timeout: Duration?) throws(StorageError) {
    var files: [LockFile] = []
    for path in paths { files.append(try LockFile.open(path, readOnly: isReadOnly)) }
    self.files = files
    self.ranks = Array(ranks.prefix(paths.count))
    self.timeout = timeout
  }

  /// Takes all locks, waiting for them, and those of `others` shared, all in one go: no circle of waiting processes can
  /// form, in whatever order their stores name each other (store-semantics 27.2.1).
  ///
  /// - Throws: `busy` after the time limit.
  func acquire(_ kind: HeldGroup.Kind, with others: [LockGroup] = []) throws(StorageError) -> HeldGroup {
    var requests = self.requests(kind == .exclusive ? .write : .read)
    for group in others { requests += group.requests(.read) }
    var set = LockSet()
    try set.acquireTogether(requests, timeout: timeout)
    return HeldGroup(set: set, ranks: ranks)
  }

  private func requests(_ kind: LockKind) -> [LockSet.Request] {
    zip(files, ranks).map { LockSet.Request($0, kind, rank: $1) }
  }
}

/// A held ``LockGroup``, maybe with others; ends with ``release()``.
struct HeldGroup: ~Copyable, Sendable {
  /// Who else may hold the lock.
  enum Kind: Sendable {
    /// Other readers.
    case shared
    /// Nobody.
    case exclusive
  }

  private let set: LockSet
  private let ranks: [LockRank]

  fileprivate init(set: consuming LockSet, ranks: [LockRank]) {
    self.set = set
    self.ranks = ranks
  }

  /// The marks of the last writers, one per lock file.
  func tokens() throws(StorageError) -> [LastWrite] { try tokens(ranks) }

  /// The mark of the last writer of a lock that is held along; empty if there is no such file.
  func tokens(ranked rank: LockRank) throws(StorageError) -> [LastWrite] { try tokens([rank]) }

  private func tokens(_ ranks: [LockRank]) throws(StorageError) -> [LastWrite] {
    var tokens: [LastWrite] = []
    for rank in ranks {
      if let access = set.readAccess(rank) { tokens.append(try access.lastWrite()) }
    }
    return tokens
  }

  /// Announces a write in every lock file.
  ///
  /// - Returns: the marks written, to be compared with ``tokens()`` later.
  func recordWrite() throws(StorageError) -> [LastWrite] {
    var tokens: [LastWrite] = []
    for rank in ranks {
      guard let access = set.writeAccess(rank) else { throw StorageError(.readOnlyStore) }
      tokens.append(try access.recordWrite())
    }
    return tokens
  }

  /// Gives the lock up.
  consuming func release() {}
}
