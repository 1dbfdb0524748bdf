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

  /// Creates missing lock files (0644); for read-only use, only where that is possible. `ranks` may be longer than
  /// `paths`.
  init(_ paths: [FilePath], isReadOnly: Bool, ranks: [LockRank]) throws(StorageError) {
    var files: [LockFile] = []
    for path in paths { files.append(try LockFile.open(path, readOnly: isReadOnly)) }
    self.files = files
    self.ranks = Array(ranks.prefix(paths.count))
  }

  /// Takes all locks, waiting for them.
  func acquire(_ kind: HeldGroup.Kind) throws(StorageError) -> HeldGroup {
    var set = LockSet()
    var requests: [LockSet.Request] = []
    for (file, rank) in zip(files, ranks) {
      requests.append(LockSet.Request(file, kind == .exclusive ? .write : .read, rank: rank))
    }
    try set.acquireTogether(requests)
    return HeldGroup(set: set, ranks: ranks)
  }
}

/// A held ``LockGroup``; ends with ``release()``.
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
  func tokens() throws(StorageError) -> [LastWrite] {
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
