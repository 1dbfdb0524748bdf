// SPDX-License-Identifier: Apache-2.0

import Glibc
import StowageModel

/// Something a new thread can run: the part of ``BackgroundResult`` that a C function can name. `@unchecked`: see there.
private class ThreadBody: @unchecked Sendable {
  func run() {}
}

/// The result of work that runs on a thread of its own.
///
/// Plain threads, not Swift's pool: the work waits for disks and locks.
final class BackgroundResult<Value: Sendable>: Sendable {
  /// Work and result. `@unchecked`: the result is written by the thread only, and read after `pthread_join`, which orders
  /// both.
  private final class Body: ThreadBody, @unchecked Sendable {
    let work: @Sendable () throws(StorageError) -> Value
    var result: Result<Value, StorageError>?

    init(_ work: @escaping @Sendable () throws(StorageError) -> Value) { self.work = work }

    override func run() {
      do throws(StorageError) { result = .success(try work()) } catch { result = .failure(error) }
    }
  }

  private let body: Body
  private let thread: pthread_t?

  /// Starts the work. Without a thread to be had, it is done by ``wait()``.
  init(_ work: @escaping @Sendable () throws(StorageError) -> Value) {
    body = Body(work)
    var thread = pthread_t()
    let argument = Unmanaged<ThreadBody>.passRetained(body)
    let status = pthread_create(
      &thread, nil,
      { argument in
        if let argument { Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run() }
        return nil
      }, argument.toOpaque())
    if status != 0 { argument.release() }
    self.thread = status == 0 ? thread : nil
  }

  /// Waits for the end of the work. To be called exactly once.
  func wait() throws(StorageError) -> Value {
    if let thread { pthread_join(thread, nil) } else { body.run() }
    guard let result = body.result else { throw StorageError(.cancelled) }
    return try result.get()
  }
}
