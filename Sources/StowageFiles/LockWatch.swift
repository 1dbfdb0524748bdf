// SPDX-License-Identifier: Apache-2.0
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

  private init(_ path: FilePath) { self.path = path }

  /// Starts a watch; nil if nobody wants notices or no thread can be had.
  static func start(_ path: FilePath) -> LockWatch? {
    guard LockFile.waitNotice.withLock({ $0 != nil }) else { return nil }
    let watch = LockWatch(path)
    do throws(Errno) { try PlainThread.detach { watch.run() } } catch { return nil }
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
    LockFile.waitNotice.withLock({ $0 })?(path, LockHolder.all(of: path))
  }
}
