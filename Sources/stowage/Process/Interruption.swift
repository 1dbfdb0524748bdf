// SPDX-License-Identifier: Apache-2.0
import Glibc
import StowageSystem
import Synchronization
import SystemPackage

/// SIGHUP, SIGINT and SIGTERM as a request to unwind, for commands that would otherwise leave something half-made.
enum Interruption {
  private struct State: Sendable {
    var signal: CInt?
    var actions: [@Sendable () -> Void] = []
  }

  private static let state = Mutex(State())

  /// The signal that asked the command to stop, nil if none came.
  static var signal: CInt? { state.withLock(\.signal) }

  /// Whether the running operation is to stop. Usable from any thread.
  @Sendable static func isRequested() -> Bool { signal != nil }

  /// Runs `action` on another thread when the request comes; at once if it is there already.
  static func whenRequested(_ action: @escaping @Sendable () -> Void) {
    let isDue = state.withLock { state in
      state.actions.append(action)
      return state.signal != nil
    }
    if isDue { action() }
  }

  /// From now on the first of SIGHUP, SIGINT and SIGTERM is a request; a second one ends the process at once.
  ///
  /// To be called before other threads start: they inherit that the signals are blocked, and a thread of its own waits
  /// for them. A handler could do nothing but set a flag, which nobody who waits for input would see.
  static func install() {
    var signals = watchedSignals()
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    do throws(Errno) { try PlainThread.detach { Interruption.wait() } } catch {
      // Without the thread the signals must work as ever.
      pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }
  }

  private static func wait() {
    var signals = watchedSignals()
    while true {
      var number: CInt = 0
      guard sigwait(&signals, &number) == 0 else { continue }
      let (isSecond, actions) = state.withLock { state in
        let isSecond = state.signal != nil
        if !isSecond { state.signal = number }
        return (isSecond, state.actions)
      }
      if isSecond { end(.signal(number)) }
      for action in actions { action() }
    }
  }

  /// Those that the caller has not chosen to be ignored, as `nohup` and background jobs of scripts do.
  private static func watchedSignals() -> sigset_t {
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in [SIGHUP, SIGINT, SIGTERM] where !isIgnored(number) { sigaddset(&signals, number) }
    return signals
  }

  private static func isIgnored(_ number: CInt) -> Bool {
    var action = sigaction()
    guard sigaction(number, nil, &action) == 0 else { return false }
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
      == unsafeBitCast(SIG_IGN, to: Int.self)
  }

  /// A reader that went away, and a limit on the size of files, show as errors of the write, not as the end of the process.
  static func ignoreFailedWrites() {
    for number in [SIGPIPE, SIGXFSZ] { _ = Glibc.signal(number, SIG_IGN) }
  }

  /// Ends the process at once, from any thread.
  static func end(_ status: ExitStatus) -> Never { _exit(status.code) }
}
