// SPDX-License-Identifier: Apache-2.0

import StowageModel
import StowageSystem
import Synchronization

/// The result of work that runs on a thread of its own.
///
/// Plain threads, not Swift's pool: the work waits for disks and locks.
final class BackgroundResult<Value: Sendable>: Sendable {
  /// Work and result, shared with the thread.
  private final class Body: Sendable {
    let work: @Sendable () throws(StorageError) -> Value
    let result = Mutex<Result<Value, StorageError>?>(nil)

    init(_ work: @escaping @Sendable () throws(StorageError) -> Value) { self.work = work }

    func run() {
      let outcome: Result<Value, StorageError>
      do throws(StorageError) { outcome = .success(try work()) } catch { outcome = .failure(error) }
      result.withLock { $0 = outcome }
    }
  }

  private let body: Body
  /// The thread; `nil` if none could be had, and after the wait.
  private let thread: Mutex<PlainThread?>

  /// Starts the work. Without a thread to be had, it is done by ``wait()``.
  init(_ work: @escaping @Sendable () throws(StorageError) -> Value) {
    let body = Body(work)
    self.body = body
    thread = Mutex(try? PlainThread { body.run() })
  }

  /// Waits for the end of the work. To be called exactly once.
  func wait() throws(StorageError) -> Value {
    if let thread = thread.withLock({ $0.take() }) { thread.join() } else { body.run() }
    guard let result = body.result.withLock({ $0 }) else { throw StorageError(.cancelled) }
    return try result.get()
  }
}
