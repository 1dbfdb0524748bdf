// SPDX-License-Identifier: Apache-2.0
import Glibc
import Synchronization

/// Shows how far several pieces of work are, on standard error.
///
/// On a terminal the unfinished pieces are bars with their rate and the time left, redrawn in place, and each finished piece
/// becomes a line above them. Elsewhere only the lines of finished pieces are written. Thread safe.
final class ProgressDisplay: Sendable {
  /// One piece of work.
  struct Item: Sendable {
    /// What identifies it; also its place among the bars.
    let order: [Int]
    let label: String
    let done: Int64
    /// 0 if it is not known.
    let total: Int64
    /// How it ended, for instance `done`; nil while it runs.
    let outcome: String?
  }

  /// A piece that is not finished.
  private struct Running {
    var item: Item
    /// Where it was when it was first seen, and when, in nanoseconds: the rate is the mean since then.
    let begin: (done: Int64, time: UInt64)

    func bar(columns: Int, at now: UInt64) -> String {
      let seconds = Double(now &- begin.time) / 1e9
      // The first moments tell nothing about the rest.
      let rate = seconds >= 0.5 ? Double(max(0, item.done - begin.done)) / seconds : nil
      return ProgressDisplay.bar(item, rate: rate, columns: columns)
    }
  }

  private struct State {
    var running: [Running] = []
    /// How many lines of bars are on the screen.
    var shown = 0
    var lastDrawn: UInt64 = 0
  }

  private let state = Mutex(State())
  private let isTerminal: Bool
  /// More often nobody can read it, and writing to a terminal takes time.
  private static let interval: UInt64 = 80_000_000

  init(isTerminal: Bool = isatty(STDERR_FILENO) == 1) { self.isTerminal = isTerminal }

  /// Takes the latest state of one piece.
  func update(_ item: Item) {
    state.withLock { state in
      let known = state.running.firstIndex { $0.item.order == item.order }
      guard let outcome = item.outcome else {
        if let known {
          state.running[known].item = item
        } else {
          let place = state.running.firstIndex { item.order.lexicographicallyPrecedes($0.item.order) }
          state.running.insert(Running(item: item, begin: (item.done, clock())), at: place ?? state.running.endIndex)
        }
        redraw(&state, above: "")
        return
      }
      if let known { state.running.remove(at: known) }
      let size = item.total > 0 ? " (\(bytesText(item.total)))" : ""
      redraw(&state, above: "\(item.label): \(outcome)\(size)\n", isDue: true)
    }
  }

  /// Takes the bars off the screen. Further updates show again.
  func finish() {
    state.withLock { state in
      state.running = []
      redraw(&state, above: "", isDue: true)
    }
  }

  private func redraw(_ state: inout State, above lines: String, isDue: Bool = false) {
    guard isTerminal else {
      if !lines.isEmpty { writeToStandardError(lines) }
      return
    }
    let now = clock()
    guard isDue || now &- state.lastDrawn >= ProgressDisplay.interval else { return }
    state.lastDrawn = now
    let (columns, rows) = ProgressDisplay.terminalSize()
    let bars = state.running.prefix(max(1, rows - 2))
    // Up to the first bar, and erase from there to the end of the screen.
    let erase = state.shown > 0 ? "\u{1b}[\(state.shown)A\u{1b}[J" : ""
    let drawn = bars.map { $0.bar(columns: columns, at: now) + "\n" }.joined()
    if erase.isEmpty, lines.isEmpty, drawn.isEmpty { return }
    writeToStandardError(erase + lines + drawn)
    state.shown = bars.count
  }

  /// `label [=====>    ] 12.3 MB / 45.6 MB, 8.12 MB/s, 5 s left`, no wider than the terminal: what does not fit is left out from
  /// the end, and at last the bar.
  ///
  /// - Parameter rate: bytes a second; nil if it is not known yet.
  static func bar(_ item: Item, rate: Double? = nil, columns: Int) -> String {
    var amount = item.total > 0 ? "\(bytesText(item.done)) / \(bytesText(item.total))" : bytesText(item.done)
    for part in pace(item, rate) where item.label.count + amount.count + part.count + 17 <= columns {
      amount += ", " + part
    }
    let width = min(40, columns - item.label.count - amount.count - 5)
    guard width >= 10, item.total > 0 else { return String("\(item.label) \(amount)".prefix(max(1, columns - 1))) }
    let part = min(1, max(0, Double(item.done) / Double(item.total)))
    let filled = Int(part * Double(width))
    let head = filled > 0 && filled < width ? ">" : filled == width ? "=" : ""
    let bar = String(repeating: "=", count: max(0, filled - 1)) + head
    return "\(item.label) [\(bar)\(String(repeating: " ", count: width - bar.count))] \(amount)"
  }

  /// How fast it goes, and how long it will take if it goes on like this.
  private static func pace(_ item: Item, _ rate: Double?) -> [String] {
    guard let rate else { return [] }
    let perSecond = "\(bytesText(Int64(min(rate, 1e18))))/s"
    guard item.total > item.done, rate >= 1 else { return [perSecond] }
    return [perSecond, "\(timeText(Double(item.total - item.done) / rate)) left"]
  }

  /// `8 s`, `2 min 5 s`, `3 h 20 min`, `4 days`.
  private static func timeText(_ seconds: Double) -> String {
    let seconds = Int64(min(seconds.rounded(.up), 1e9))
    if seconds < 60 { return "\(seconds) s" }
    if seconds < 3600 { return "\(seconds / 60) min \(seconds % 60) s" }
    if seconds < 48 * 3600 { return "\(seconds / 3600) h \(seconds % 3600 / 60) min" }
    return "\(seconds / 86400) days"
  }

  private static func terminalSize() -> (columns: Int, rows: Int) {
    var window = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &window) == 0, window.ws_col > 0, window.ws_row > 0 else {
      return (80, 24)
    }
    return (Int(window.ws_col), Int(window.ws_row))
  }

  private func clock() -> UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) &* 1_000_000_000 &+ UInt64(now.tv_nsec)
  }
}
