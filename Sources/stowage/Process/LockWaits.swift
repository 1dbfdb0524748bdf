// SPDX-License-Identifier: Apache-2.0
import StowageFiles
import StowageModel
import Synchronization

/// Waiting for locks, as the user sees it.
enum LockWaits {
  /// From now on every wait for a lock that takes longer than two seconds is told on standard error.
  static func announce() {
    LockFile.waitNotice.withLock { notice in
      notice = { path, holders in
        let who = holders.isEmpty ? "another process" : holders.map(\.description).joined(separator: ", ")
        writeToStandardError("waiting for the lock \(path), which is held by \(who)\n")
      }
    }
  }

  /// The value of `--lock-timeout`; nil if it is not given.
  ///
  /// - Throws: `usage`.
  static func limit(_ text: String) throws(StorageError) -> Duration? {
    if text.isEmpty { return nil }
    guard let seconds = Int32(text), seconds >= 0 else {
      throw StorageError(.usage, "--lock-timeout takes a number of seconds, not \(goQuoted(text))")
    }
    return .seconds(seconds)
  }
}
