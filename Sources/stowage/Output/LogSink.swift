// SPDX-License-Identifier: Apache-2.0
import Glibc
import StowageModel

/// Writes log lines in the logrus text format (cli 8).
enum LogSink {
  /// From now on log lines go to standard error; warnings and above until ``setLevel(isDebugging:)``.
  static func install(for face: Face) {
    let start = monotonicSeconds()
    let isTerminal = isatty(STDERR_FILENO) == 1
    Log.level = .info
    Log.setSink { level, message in
      // The reference tells this failure twice; it comes again as the error of the command.
      if face == .stowage, message.hasPrefix("While applying layer: ") { return }
      if face == .stowage, level == .warning { return writeToStandardError("warning: \(message)\n") }
      writeToStandardError(
        isTerminal
          ? terminalLine(level, message, secondsSinceStart: monotonicSeconds() - start)
          : plainLine(level, message, time: localTime()))
    }
  }

  /// The level from the moment the command is known: errors only, as `stowage` warnings too, or everything.
  static func setLevel(isDebugging: Bool, for face: Face) {
    Log.level = isDebugging ? .debug : face == .stowage ? .warning : .error
  }

  /// `time="…" level=debug msg="…"`, with line feed.
  static func plainLine(_ level: Log.Level, _ message: String, time: String) -> String {
    "time=\(quotedIfNeeded(time)) level=\(level) msg=\(quotedIfNeeded(message))\n"
  }

  /// The coloured form for a terminal, with line feed.
  static func terminalLine(_ level: Log.Level, _ message: String, secondsSinceStart: Int) -> String {
    let colour =
      switch level {
      case .debug: 37
      case .info: 36
      case .warning: 33
      case .error: 31
      }
    let name = "\(level)".uppercased().prefix(4)
    let seconds = "\(secondsSinceStart)"
    let digits = String(repeating: "0", count: max(0, 4 - seconds.count)) + seconds
    let padding = String(repeating: " ", count: max(0, 44 - message.unicodeScalars.count))
    return "\u{1b}[\(colour)m\(name)\u{1b}[0m[\(digits)] \(message)\(padding) \n"
  }

  /// A value is bare only if it is made of a few harmless characters.
  private static func quotedIfNeeded(_ text: String) -> String {
    let isBare =
      !text.isEmpty
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"):
          true
        default: "-._/@^+".utf8.contains(byte)
        }
      }
    return isBare ? text : goQuoted(text)
  }

  /// RFC 3339 with seconds, in the local zone.
  private static func localTime() -> String {
    var now = time(nil)
    var parts = tm()
    localtime_r(&now, &parts)
    func two(_ number: some BinaryInteger) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let offset = parts.tm_gmtoff / 60
    let zone = offset == 0 ? "Z" : (offset < 0 ? "-" : "+") + "\(two(abs(offset) / 60)):\(two(abs(offset) % 60))"
    return "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
      + "T\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))\(zone)"
  }

  private static func monotonicSeconds() -> Int {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return now.tv_sec
  }
}
