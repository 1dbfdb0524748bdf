// SPDX-License-Identifier: Apache-2.0
private import Glibc
internal import StowageSystem
internal import SystemPackage

/// Pieces of a stream that several threads transform, each on its own, and that leave in the order in which they came.
///
/// What a piece becomes depends on the piece, not on the threads: their number does not show.
///
/// `@unchecked Sendable`: a block belongs to the producer while it is free or done, and to one worker in between; states are
/// guarded by `mutex`.
final class BlockRing: @unchecked Sendable {
  /// One piece.
  final class Block {
    fileprivate enum State { case free, waiting, taken, done }

    /// The piece.
    let input: RawBuffer
    /// What it becomes.
    let output: RawBuffer
    /// How many bytes the piece has.
    var count = 0
    /// How many bytes it became; to be set by the transformation.
    var outputCount = 0
    fileprivate var state = State.free

    fileprivate init(input: Int, output: Int) {
      self.input = RawBuffer(count: input)
      self.output = RawBuffer(count: output)
    }
  }

  private let blocks: [Block]
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private let changed: UnsafeMutablePointer<pthread_cond_t>
  /// The next block that a worker takes.
  private var taken = 0
  private var isClosed = false
  private var threads = 0

  /// - Parameters:
  ///   - count: of blocks, two at least.
  ///   - input: bytes of each.
  ///   - output: bytes that each may become.
  init(count: Int, input: Int, output: Int) {
    blocks = (0..<max(2, count)).map { _ in Block(input: input, output: output) }
    mutex = .allocate(capacity: 1)
    changed = .allocate(capacity: 1)
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(changed, nil)
  }

  deinit {
    pthread_cond_destroy(changed)
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
    changed.deallocate()
  }

  /// The block of a number, counted from 0. The caller may look at it while it is free or done.
  subscript(number: Int) -> Block { blocks[number % blocks.count] }

  /// How many blocks there are: number `n` and number `n + count` are one.
  var count: Int { blocks.count }

  /// Hands a filled block to the threads.
  func submit(_ number: Int) {
    pthread_mutex_lock(mutex)
    self[number].state = .waiting
    pthread_cond_broadcast(changed)
    pthread_mutex_unlock(mutex)
  }

  /// Whether a block that was submitted is done; waits for it if wanted.
  func isDone(_ number: Int, waiting: Bool) -> Bool {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while waiting && self[number].state != .done { pthread_cond_wait(changed, mutex) }
    return self[number].state == .done
  }

  /// Makes a block that is done ready to be filled again.
  func release(_ number: Int) {
    pthread_mutex_lock(mutex)
    self[number].state = .free
    pthread_mutex_unlock(mutex)
  }

  /// Ends the threads when they are through with what they have.
  func close() {
    pthread_mutex_lock(mutex)
    isClosed = true
    pthread_cond_broadcast(changed)
    pthread_mutex_unlock(mutex)
  }

  /// Transforms blocks until the ring is closed; what a worker thread does.
  func work(_ transform: (Block) -> Void) {
    while let block = take() {
      transform(block)
      pthread_mutex_lock(mutex)
      block.state = .done
      pthread_cond_broadcast(changed)
      pthread_mutex_unlock(mutex)
    }
  }

  /// The next block to transform, in order; nil when the ring is closed.
  private func take() -> Block? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while !isClosed {
      let next = self[taken]
      if next.state == .waiting {
        taken += 1
        next.state = .taken
        return next
      }
      pthread_cond_wait(changed, mutex)
    }
    return nil
  }
}
