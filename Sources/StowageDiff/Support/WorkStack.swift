// SPDX-License-Identifier: Apache-2.0

private import Glibc
internal import StowageModel

/// Pieces of work that make further pieces, for several threads; the newest is done first, so that a walk of a tree goes into
/// depth and keeps few directories open.
///
/// `@unchecked Sendable`: all mutable state is guarded by `mutex`.
final class WorkStack<Item: Sendable>: @unchecked Sendable {
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let changed: UnsafeMutablePointer<pthread_cond_t>
  private var items: [Item]
  private var busyCount = 0
  private var failure: StorageError?

  init(_ first: Item) {
    items = [first]
    mutex = .allocate(capacity: 1)
    changed = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(changed, nil)
  }

  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(mutex)
    changed.deallocate()
    mutex.deallocate()
  }

  /// Takes the newest piece, waiting for one; `nil` if all is done or something failed. ``finish(_:)`` must follow.
  func take() -> Item? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while items.isEmpty, busyCount > 0, failure == nil { pthread_cond_wait(changed, mutex) }
    guard failure == nil, let item = items.popLast() else { return nil }
    busyCount += 1
    return item
  }

  /// Adds pieces; only while a piece is being done.
  func add(_ more: [Item]) {
    if more.isEmpty { return }
    pthread_mutex_lock(mutex)
    items += more
    pthread_cond_broadcast(changed)
    pthread_mutex_unlock(mutex)
  }

  /// Ends a piece; a failure, the first of them, ends all.
  func finish(_ error: StorageError? = nil) {
    pthread_mutex_lock(mutex)
    busyCount -= 1
    failure = failure ?? error
    pthread_cond_broadcast(changed)
    pthread_mutex_unlock(mutex)
  }

  /// What failed first.
  var firstFailure: StorageError? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return failure
  }
}

/// Processors that this machine has online; at least 1.
var processorCount: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
