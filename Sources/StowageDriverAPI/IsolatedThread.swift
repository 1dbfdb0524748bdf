// SPDX-License-Identifier: Apache-2.0

import Glibc
package import SystemPackage

/// Runs work on a thread of its own, for calls that change what belongs to a thread (working directory, namespaces).
package enum IsolatedThread {
  /// Runs `body` on a new thread and waits for it; the thread ends afterwards.
  ///
  /// - Throws: what `body` throws, or the failure to start a thread.
  package static func run(_ body: @escaping @Sendable () throws(Errno) -> Void) throws(Errno) {
    let work = Work(body)
    let pointer = Unmanaged.passRetained(work).toOpaque()
    var thread = pthread_t()
    let status = pthread_create(
      &thread, nil,
      { pointer in
        if let pointer { Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue().run() }
        return nil
      }, pointer)
    guard status == 0 else {
      Unmanaged<Work>.fromOpaque(pointer).release()
      throw Errno(rawValue: status)
    }
    pthread_join(thread, nil)
    try work.result.get()
  }

  /// The body and its result. `@unchecked`: written by the thread only, read after `pthread_join`, which orders both.
  private final class Work: @unchecked Sendable {
    private let body: @Sendable () throws(Errno) -> Void
    private(set) var result: Result<Void, Errno> = .success(())

    init(_ body: @escaping @Sendable () throws(Errno) -> Void) { self.body = body }

    func run() {
      do throws(Errno) { try body() } catch { result = .failure(error) }
    }
  }
}

/// Short waits.
package enum Pause {
  /// Blocks the calling thread.
  package static func milliseconds(_ count: UInt32) { usleep(count * 1000) }
}
