// SPDX-License-Identifier: Apache-2.0
package import StowageModel
package import StowageSystem
package import SystemPackage

/// A held lock; released at the end of its life or by ``release()``.
///
/// For uses that outlive a scope, such as a diff stream that pins its layer until it is closed.
package struct HeldLock: ~Copyable, Sendable {
  private let core: LockCore
  /// Whether it is shared or exclusive.
  package let kind: LockKind

  init(core: LockCore, kind: LockKind) {
    self.core = core
    self.kind = kind
  }

  deinit { core.release(kind) }

  /// The lock's file.
  package var path: FilePath { core.path }

  /// Gives up the lock now.
  package consuming func release() {}

  /// The capability to read what the lock protects. Must not outlive this value.
  package var readAccess: ReadAccess { ReadAccess(core: core) }

  /// The capability to change what the lock protects. Must not outlive this value. Traps if the lock is held for reading:
  /// that is a programmer's fault.
  package var writeAccess: WriteAccess {
    precondition(kind == .write, "write access needs a lock held for writing")
    return WriteAccess(core: core)
  }

  /// The mark of the last writer.
  package func lastWrite() throws(StorageError) -> LastWrite { try core.lastWrite() }
}

/// Proof that a lock is held at least for reading.
package struct ReadAccess: ~Copyable, Sendable {
  fileprivate let core: LockCore

  /// The lock's file.
  package var path: FilePath { core.path }

  /// The mark of the last writer.
  package func lastWrite() throws(StorageError) -> LastWrite { try core.lastWrite() }
}

/// Proof that a lock is held for writing.
package struct WriteAccess: ~Copyable, Sendable {
  fileprivate let core: LockCore

  /// The lock's file.
  package var path: FilePath { core.path }

  /// The same hold, for functions that only read.
  package var readAccess: ReadAccess { ReadAccess(core: core) }

  /// The mark of the last writer.
  package func lastWrite() throws(StorageError) -> LastWrite { try core.lastWrite() }

  /// Leaves a fresh mark for other processes, to be called before the changed document is renamed into place.
  ///
  /// - Returns: the mark written, which the caller remembers as the state it has loaded.
  @discardableResult
  package func recordWrite() throws(StorageError) -> LastWrite { try core.recordWrite() }
}
