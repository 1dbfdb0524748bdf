// SPDX-License-Identifier: Apache-2.0

import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The log of the library: leveled lines to one sink.
///
/// Without another sink, lines from ``Level/warning`` on go to standard error as plain text. The command line installs a
/// sink with the reference's line format (cli 8). Thread safe.
public enum Log {
  /// How important a line is; greater is more important.
  public enum Level: Int, Comparable, Sendable, CaseIterable {
    /// For those who look for a defect.
    case debug
    /// Ordinary events.
    case info
    /// Something is odd, work goes on.
    case warning
    /// Something failed.
    case error

    /// Orders by importance.
    public static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
  }

  /// Takes one line, without line feed. Called on any thread, possibly by several at once.
  public typealias Sink = @Sendable (_ level: Level, _ message: String) -> Void

  private struct State {
    var level = Level.warning
    var sink: Sink?
  }

  private static let state = Mutex(State())

  /// The lowest level that reaches the sink. Initially ``Level/warning``.
  public static var level: Level {
    get { state.withLock { $0.level } }
    set { state.withLock { $0.level = newValue } }
  }

  /// Replaces the sink; nil restores the default one.
  public static func setSink(_ sink: Sink?) { state.withLock { $0.sink = sink } }

  /// Logs at ``Level/debug``; the message is not built below the level.
  public static func debug(_ message: @autoclosure () -> String) { log(.debug, message) }
  /// Logs at ``Level/info``.
  public static func info(_ message: @autoclosure () -> String) { log(.info, message) }
  /// Logs at ``Level/warning``.
  public static func warning(_ message: @autoclosure () -> String) { log(.warning, message) }
  /// Logs at ``Level/error``.
  public static func error(_ message: @autoclosure () -> String) { log(.error, message) }

  private static func log(_ level: Level, _ message: () -> String) {
    let (wanted, sink) = state.withLock { (level >= $0.level, $0.sink) }
    guard wanted else { return }
    // Outside the lock: a sink may log or change the level itself.
    if let sink { sink(level, message()) } else { writeToStandardError("\(level): \(message())\n") }
  }

  private static func writeToStandardError(_ line: String) {
    var line = line
    line.withUTF8 { bytes in
      var rest = UnsafeRawBufferPointer(bytes)
      while !rest.isEmpty {
        // Standard error is the last resort: its failure has nowhere to be told.
        let count = write(STDERR_FILENO, rest.baseAddress, rest.count)
        if count <= 0 { return }
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
      }
    }
  }
}
