// SPDX-License-Identifier: Apache-2.0

import Glibc
import StowageSystem
import Synchronization

/// A few plain threads for blocking calls, so that nothing blocks the threads of Swift's concurrency.
///
/// Threads are made when they are needed, at most ``limit``, and end when there is nothing to do.
final class BlockingPool: Sendable {
  /// The pool of this package.
  static let shared = BlockingPool()

  /// Store operations wait for locks and disks, so more threads than processors pay, but many only queue at the same
  /// lock.
  private static let limit = max(4, min(16, 2 * sysconf(CInt(_SC_NPROCESSORS_ONLN))))

  private struct State: Sendable {
    var jobs: [@Sendable () -> Void] = []
    var threads = 0
  }

  private let state = Mutex(State())

  private init() {}

  /// Runs `body` on a thread of the pool.
  func run<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
      submit { continuation.resume(with: Result(catching: body)) }
    }
  }

  private func submit(_ job: @escaping @Sendable () -> Void) {
    let startsThread = state.withLock { state in
      state.jobs.append(job)
      guard state.threads < BlockingPool.limit else { return false }
      state.threads += 1
      return true
    }
    // Without a thread the work waits for one that is there.
    if startsThread, (try? PlainThread.detach { self.work() }) == nil {
      // No thread can be had: others will do the job, or, if there are none, the caller.
      let orphan = state.withLock { state -> (@Sendable () -> Void)? in
        state.threads -= 1
        return state.threads == 0 ? state.jobs.popLast() : nil
      }
      orphan?()
    }
  }

  private func work() {
    while true {
      let job = state.withLock { state -> (@Sendable () -> Void)? in
        if !state.jobs.isEmpty { return state.jobs.removeFirst() }
        state.threads -= 1
        return nil
      }
      guard let job else { return }
      job()
    }
  }
}
