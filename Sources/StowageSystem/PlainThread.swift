// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import Synchronization
package import SystemPackage

/// A plain thread, for work that blocks, or that changes what belongs to a thread.
///
/// Not one of Swift's pool, which must not wait for disks, locks or other threads. Whoever keeps the value waits with
/// ``join()``; a thread whose value is gone runs on, and nobody learns of its end. See `pthread_create(3)`.
package struct PlainThread: ~Copyable, Sendable {
  private let identifier: pthread_t

  /// Starts a thread that runs `body` and ends.
  ///
  /// - Throws: `EAGAIN` if no thread can be had; `body` is not run then.
  package init(_ body: @escaping @Sendable () -> Void) throws(Errno) {
    identifier = try PlainThread.start(body)
  }

  deinit { pthread_detach(identifier) }

  /// Waits for the end of the thread; what it wrote can be seen then.
  package consuming func join() {
    let identifier = identifier
    discard self
    pthread_join(identifier, nil)
  }

  /// Runs `body` on a thread that nobody waits for.
  ///
  /// - Throws: `EAGAIN`, as ``init(_:)``.
  package static func detach(_ body: @escaping @Sendable () -> Void) throws(Errno) {
    _ = try PlainThread(body)
  }

  /// Runs one piece of code on several threads, the caller's included, until all have returned.
  ///
  /// Where threads cannot be had, fewer do the work; the caller's always does.
  package static func runTogether(_ count: Int, _ body: @escaping @Sendable () -> Void) {
    let others = (1..<max(1, count)).compactMap { _ in try? start(body) }
    body()
    for thread in others { pthread_join(thread, nil) }
  }

  /// Runs `body` on a thread made for it and ended after it, for calls that change what belongs to a thread (working
  /// directory, namespaces), and waits for it.
  ///
  /// - Throws: what `body` throws; `EAGAIN` if no thread can be had.
  package static func runIsolated(_ body: @escaping @Sendable () throws(Errno) -> Void) throws(Errno) {
    final class Outcome: Sendable {
      let failure = Mutex<Errno?>(nil)
    }
    let outcome = Outcome()
    let thread = try PlainThread {
      do throws(Errno) { try body() } catch { outcome.failure.withLock { $0 = error } }
    }
    thread.join()
    if let failure = outcome.failure.withLock({ $0 }) { throw failure }
  }

  /// The body of a thread as a C function can be given it.
  private final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  private static func start(_ body: @escaping @Sendable () -> Void) throws(Errno) -> pthread_t {
    var identifier = pthread_t()
    let work = Unmanaged.passRetained(Work(SystemHook.inherited(by: body)))
    let status = pthread_create(
      &identifier, nil,
      { work in
        if let work { Unmanaged<Work>.fromOpaque(work).takeRetainedValue().body() }
        return nil
      }, work.toOpaque())
    guard status == 0 else {
      work.release()
      throw Errno(rawValue: status)
    }
    return identifier
  }
}
