// SPDX-License-Identifier: Apache-2.0
internal import Glibc
internal import StowageSystem
internal import Synchronization
internal import SystemPackage

/// Tells once when somebody has waited for a file lock longer than two seconds.
///
/// A thread made for the wait sleeps on the monitor; it ends when the wait ends or the notice is given.
final class LockWatch: Sendable {
  private let monitor = LockMonitor()
  private let isOver = Atomic<Bool>(false)
  private let path: FilePath
  /// Own copy: the waiter may close its descriptor before the thread has looked.
  private let descriptor: SharedDescriptor

  private init(_ path: FilePath, _ descriptor: SharedDescriptor) {
    self.path = path
    self.descriptor = descriptor
  }

  /// Starts a watch; nil if nobody wants notices or no thread can be had.
  static func start(_ path: FilePath, _ descriptor: CInt) -> LockWatch? {
    // A description of its own, since F_OFD_GETLK does not report locks of the asking description.
    guard LockFile.waitNotice.withLock({ $0 != nil }), let copy = try? Syscall.open(path, .readOnly) else { return nil }
    let watch = LockWatch(path, SharedDescriptor(copy))
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(watch)
    let status = pthread_create(
      &thread, nil,
      { argument in
        if let argument { Unmanaged<LockWatch>.fromOpaque(argument).takeRetainedValue().run() }
        return nil
      }, argument.toOpaque())
    if status != 0 {
      argument.release()
      return nil
    }
    pthread_detach(thread)
    return watch
  }

  /// Ends the watch: the wait is over.
  func stop() {
    monitor.lock()
    isOver.store(true, ordering: .sequentiallyConsistent)
    monitor.broadcast()
    monitor.unlock()
  }

  private func run() {
    let time = deadline(after: .seconds(2))
    monitor.lock()
    while !isOver.load(ordering: .sequentiallyConsistent) {
      if !monitor.wait(until: time) { break }
    }
    let over = isOver.load(ordering: .sequentiallyConsistent)
    monitor.unlock()
    if over { return }
    let holder = (try? Syscall.lockHolder(descriptor.rawValue)) ?? nil
    LockFile.waitNotice.withLock({ $0 })?(path, holder)
  }
}
