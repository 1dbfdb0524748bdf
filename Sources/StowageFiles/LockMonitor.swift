// SPDX-License-Identifier: Apache-2.0
internal import Glibc

/// A POSIX mutex with a condition: what the standard library's `Mutex` cannot do is wait.
///
/// `@unchecked Sendable`: the two allocations are only touched through the thread-safe pthread calls.
final class LockMonitor: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let condition: UnsafeMutablePointer<pthread_cond_t>

  init() {
    mutex = .allocate(capacity: 1)
    condition = .allocate(capacity: 1)
    mutex.initialize(to: pthread_mutex_t())
    condition.initialize(to: pthread_cond_t())
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  func lock() { pthread_mutex_lock(mutex) }
  func unlock() { pthread_mutex_unlock(mutex) }
  func broadcast() { pthread_cond_broadcast(condition) }

  /// Waits for a broadcast, at most until the deadline (wall clock); false when it has passed.
  func wait(until deadline: timespec?) -> Bool {
    guard var deadline else {
      pthread_cond_wait(condition, mutex)
      return true
    }
    return pthread_cond_timedwait(condition, mutex, &deadline) != ETIMEDOUT
  }
}

/// The wall-clock time a number of seconds from now.
func deadline(after duration: Duration) -> timespec {
  var now = timespec()
  clock_gettime(CLOCK_REALTIME, &now)
  let (seconds, attoseconds) = duration.components
  let nanoseconds = Int64(now.tv_nsec) + attoseconds / 1_000_000_000
  now.tv_sec += time_t(clamping: seconds) + time_t(nanoseconds / 1_000_000_000)
  now.tv_nsec = CLong(nanoseconds % 1_000_000_000)
  return now
}

/// Whether a wall-clock time has passed.
func hasPassed(_ deadline: timespec) -> Bool {
  var now = timespec()
  clock_gettime(CLOCK_REALTIME, &now)
  return (now.tv_sec, now.tv_nsec) >= (deadline.tv_sec, deadline.tv_nsec)
}
