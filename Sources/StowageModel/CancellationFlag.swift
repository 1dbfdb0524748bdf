// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Tells a long operation to stop; shared by the one who asks and the one who works.
///
/// Raised by ``cancel()``, or by a question that its maker wants to be asked instead.
package final class CancellationFlag: Sendable {
  private let requested = Atomic<Bool>(false)
  private let question: (@Sendable () -> Bool)?

  /// Makes a flag that is not raised.
  ///
  /// - Parameter question: is asked wherever the work could stop, on any thread; true raises the flag for that moment.
  package init(asking question: (@Sendable () -> Bool)? = nil) { self.question = question }

  /// Asks the operation to stop at its next entry. Safe in any thread; cannot be taken back.
  package func cancel() { requested.store(true, ordering: .releasing) }

  /// True once ``cancel()`` was called, and while the question says so.
  package var isCancelled: Bool { requested.load(ordering: .acquiring) || question?() == true }

  /// Stops the caller if the flag is raised.
  ///
  /// - Throws: code `cancelled`.
  package func check() throws(StorageError) {
    if isCancelled { throw StorageError(.cancelled) }
  }
}
