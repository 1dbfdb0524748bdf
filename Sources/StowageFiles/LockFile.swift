// SPDX-License-Identifier: Apache-2.0
package import StowageModel
package import StowageSystem
package import Synchronization
package import SystemPackage

/// A lock file on disk: excludes other processes by a whole-file record lock and other threads by a reader–writer lock.
///
/// Handles of one file, by whatever path, share their state (on-disk-format 8, 20.1). The record locks belong to the open
/// file description, so they exclude the reference's process-owned locks but are not lost when another descriptor is
/// closed. Not recursive: taking a lock again while holding it deadlocks, as in the reference. Lock files are never
/// removed or renamed.
package final class LockFile: Sendable {
  /// The path the file was first opened by.
  package var path: FilePath { core.path }
  /// True for a handle that can only be locked for reading.
  package let isReadOnly: Bool
  private let core: LockCore

  private struct Key: Hashable {
    var device: UInt64
    var inode: UInt64
    /// Handles that only read have a descriptor of their own, which cannot be locked for writing. The kernel excludes the
    /// two descriptions from each other, also within one process.
    var isReadOnly: Bool
  }
  private struct Slot { weak var core: LockCore? }
  private static let registry = Mutex<[Key: Slot]>([:])

  /// Called once per acquisition that has waited longer than two seconds, on a thread of its own, with the file and the
  /// processes that hold the lock, as far as the kernel tells.
  package static let waitNotice = Mutex<(@Sendable (FilePath, [LockHolder]) -> Void)?>(nil)

  private init(core: LockCore) {
    self.core = core
    isReadOnly = core.isReadOnly
  }

  /// Whether there is a file at the path.
  ///
  /// - Throws: `system` if that cannot be told.
  package static func isPresent(_ path: FilePath) throws(StorageError) -> Bool {
    do throws(Errno) {
      _ = try Syscall.stat(path)
      return true
    } catch .noSuchFileOrDirectory { return false } catch .notDirectory { return false } catch {
      throw .failed("stat", path, error)
    }
  }

  /// Finds a lock file; for writing, a missing one is created, and its parent directory with mode 0700.
  ///
  /// - Throws: `system`.
  package static func open(_ path: FilePath, readOnly: Bool = false) throws(StorageError) -> LockFile {
    let file = try openLockFile(path, readOnly: readOnly)
    let status = try attempt("stat", path) { () throws(Errno) in try Syscall.fstat(file.rawValue) }
    let key = Key(device: status.device, inode: status.inode, isReadOnly: readOnly)
    let core = registry.withLock { cores in
      if let core = cores[key]?.core, names(core.path, key) { return core }
      cores = cores.filter { $0.value.core != nil }
      let core = LockCore(path: path, isReadOnly: readOnly)
      cores[key] = Slot(core: core)
      return core
    }
    return LockFile(core: core)
  }

  /// Takes the lock, waiting for it.
  ///
  /// - Parameter timeout: the longest wait; nil for ever.
  /// - Throws: `busy` when the time is over, `system` if the kernel refuses, `readOnlyStore` for writing by a read-only
  ///   handle.
  package func acquire(_ kind: LockKind, timeout: Duration? = nil) throws(StorageError) -> HeldLock {
    let wait: LockWait = timeout.map { .until(deadline(after: $0)) } ?? .forever
    guard let lock = try acquire(kind, wait) else { throw busy(after: timeout) }
    return lock
  }

  /// Takes the lock; nil if it was not free in time.
  func acquire(_ kind: LockKind, _ wait: LockWait) throws(StorageError) -> HeldLock? {
    try checkMode(kind)
    return try core.acquire(kind, wait: wait) ? HeldLock(core: core, kind: kind) : nil
  }

  /// What is said when a lock was not free in time.
  func busy(after timeout: Duration?) -> StorageError {
    let holders = LockHolder.all(of: path).map(\.description)
    let who = holders.isEmpty ? "another process" : holders.joined(separator: ", ")
    let time = timeout.map { " after waiting for \($0)" } ?? ""
    return StorageError(.busy, "\(path.string) is still locked by \(who)\(time)", path: path.string)
  }

  /// Takes the lock if it is free now; nil if somebody holds it.
  package func tryAcquire(_ kind: LockKind) throws(StorageError) -> HeldLock? {
    try acquire(kind, .never)
  }

  /// Runs `body` while the lock is held for reading.
  package func withRead<R: ~Copyable>(
    timeout: Duration? = nil, _ body: (borrowing ReadAccess) throws(StorageError) -> R
  ) throws(StorageError) -> R {
    let lock = try acquire(.read, timeout: timeout)
    let result = try body(lock.readAccess)
    lock.release()
    return result
  }

  /// Runs `body` while the lock is held for writing.
  package func withWrite<R: ~Copyable>(
    timeout: Duration? = nil, _ body: (borrowing WriteAccess) throws(StorageError) -> R
  ) throws(StorageError) -> R {
    let lock = try acquire(.write, timeout: timeout)
    let result = try body(lock.writeAccess)
    lock.release()
    return result
  }

  /// False if the lock file of a live handle was deleted and its inode number is now that of another file.
  private static func names(_ path: FilePath, _ key: Key) -> Bool {
    guard let status = try? Syscall.stat(path) else { return false }
    return status.device == key.device && status.inode == key.inode
  }

  private func checkMode(_ kind: LockKind) throws(StorageError) {
    if kind == .write && isReadOnly { throw StorageError(.readOnlyStore, path: path.string) }
  }
}
