// SPDX-License-Identifier: Apache-2.0
private import Glibc

/// The buffers between a `PipelineSource` and its thread.
///
/// `@unchecked Sendable`: `upstream.read` is called by the filling thread only and `upstream.cancel` may be called from any;
/// all other mutable state is guarded by `mutex`. A slot's memory belongs to the filling thread while it is free and to the
/// reader while it is full.
final class BufferRing: @unchecked Sendable {
  private let upstream: any ByteSource
  private let slots: [RawBuffer]
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let changed: UnsafeMutablePointer<pthread_cond_t>
  private var counts: [Int]
  private var firstFull = 0
  private var fullCount = 0
  private var isDone = false
  private var isCancelled = false
  private var failure: ArchiveError?

  init(_ upstream: any ByteSource, bufferSize: Int, depth: Int) {
    self.upstream = upstream
    slots = (0..<depth).map { _ in RawBuffer(count: bufferSize) }
    counts = Array(repeating: 0, count: depth)
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

  /// The thread's body: reads upstream to its end, its first error, or `cancel()`.
  func fill() {
    while let slot = waitForFreeSlot() {
      do throws(ArchiveError) {
        let count = try upstream.read(into: slots[slot].bytes)
        if count == 0 { return finish(with: nil) }
        publish(slot, count)
      } catch {
        return finish(with: error)
      }
    }
  }

  /// The oldest full buffer, waiting for one; empty at the end. The reader owns it until `giveBack()`.
  func take() throws(ArchiveError) -> UnsafeRawBufferPointer {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while fullCount == 0 && !isDone && !isCancelled { pthread_cond_wait(changed, mutex) }
    if isCancelled { throw .cancelled }
    if fullCount > 0 { return UnsafeRawBufferPointer(rebasing: slots[firstFull].bytes[..<counts[firstFull]]) }
    if let failure { throw failure }
    return UnsafeRawBufferPointer(start: nil, count: 0)
  }

  /// Returns the buffer got by `take()`.
  func giveBack() {
    pthread_mutex_lock(mutex)
    firstFull = (firstFull + 1) % slots.count
    fullCount -= 1
    pthread_cond_signal(changed)
    pthread_mutex_unlock(mutex)
  }

  /// Ends both sides' waits.
  func cancel() {
    pthread_mutex_lock(mutex)
    isCancelled = true
    let isDone = isDone
    pthread_cond_broadcast(changed)
    pthread_mutex_unlock(mutex)
    if !isDone { upstream.cancel() }
  }

  /// Ends the stream with an error.
  func fail(_ error: ArchiveError) { finish(with: error) }

  private func waitForFreeSlot() -> Int? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while fullCount == slots.count && !isCancelled { pthread_cond_wait(changed, mutex) }
    return isCancelled ? nil : (firstFull + fullCount) % slots.count
  }

  private func publish(_ slot: Int, _ count: Int) {
    pthread_mutex_lock(mutex)
    counts[slot] = count
    fullCount += 1
    pthread_cond_signal(changed)
    pthread_mutex_unlock(mutex)
  }

  private func finish(with error: ArchiveError?) {
    pthread_mutex_lock(mutex)
    failure = error
    isDone = true
    pthread_cond_broadcast(changed)
    pthread_mutex_unlock(mutex)
  }
}
