// SPDX-License-Identifier: Apache-2.0
import StowageModel
import Testing

@testable import stowage_cli

/// Pieces of output that no command shows in a reproducible way (cli 8, 13.1).
@Suite("Output") struct OutputTests {
  @Test func `Log lines quote what is not plain`() {
    let time = "2026-11-23T19:49:14Z"
    #expect(
      LogSink.plainLine(.debug, "Root: /g", time: time)
        == "time=\"2026-11-23T19:49:14Z\" level=debug msg=\"Root: /g\"\n")
    #expect(LogSink.plainLine(.warning, "a-b._/@^+9", time: time).hasSuffix(" level=warning msg=a-b._/@^+9\n"))
    #expect(LogSink.plainLine(.error, "", time: time).hasSuffix(" level=error msg=\"\"\n"))
    #expect(LogSink.plainLine(.info, "say \"a\"\n", time: time).hasSuffix(" level=info msg=\"say \\\"a\\\"\\n\"\n"))
  }

  @Test func `On a terminal log lines have a colour and a column`() {
    let line = LogSink.terminalLine(.debug, "Root: /g", secondsSinceStart: 7)
    #expect(line == "\u{1b}[37mDEBU\u{1b}[0m[0007] Root: /g" + String(repeating: " ", count: 36) + " \n")
    #expect(
      LogSink.terminalLine(.warning, "x", secondsSinceStart: 12345).hasPrefix("\u{1b}[33mWARN\u{1b}[0m[12345] x "))
  }

  @Test func `A layer that is its own ancestor does not draw for ever`() {
    let nodes = [("a", LayerTree.base), ("a", "b"), ("b", "a"), ("x", "y"), ("y", "x")].map {
      LayerTree.Node(id: $0.0, parent: $0.1, notes: [])
    }
    #expect(LayerTree(nodes).drawn() == ["(base)", "└─a", "  └─b", "    └─a"])
  }

  @Test(arguments: [
    (125.0, "125 B/s, 4 s left"), (4, "4 B/s, 2 min 5 s left"), (0.1, "0 B/s"), (500, "500 B/s, 1 s left"),
  ])
  func `A bar tells the rate and the time left`(rate: Double, pace: String) {
    let item = ProgressDisplay.Item(order: [0], label: "Layer", done: 500, total: 1000, outcome: nil)
    let bar = ProgressDisplay.bar(item, rate: rate, columns: 90)
    #expect(bar.hasSuffix("] 500 B / 1.00 kB, \(pace)"))
    #expect(bar.hasPrefix("Layer [") && bar.count < 90)
    // The bar is left rather than the words.
    #expect(!ProgressDisplay.bar(item, rate: rate, columns: 40).contains("/s"))
  }

  @Test func `A bar fits the terminal`() {
    func item(_ done: Int64, _ total: Int64) -> ProgressDisplay.Item {
      ProgressDisplay.Item(order: [0], label: "Layer 1/2 abc", done: done, total: total, outcome: nil)
    }
    // Half of the 27 columns that label, amount and brackets leave.
    let half = String(repeating: "=", count: 12) + ">" + String(repeating: " ", count: 14)
    #expect(ProgressDisplay.bar(item(500, 1000), columns: 60) == "Layer 1/2 abc [\(half)] 500 B / 1.00 kB")
    for done in [Int64(0), 1, 999, 1000, 5000] {
      #expect(ProgressDisplay.bar(item(done, 1000), columns: 80).count < 80)
    }
    #expect(ProgressDisplay.bar(item(5, 0), columns: 80) == "Layer 1/2 abc 5 B")
    #expect(ProgressDisplay.bar(item(5, 0), rate: 12.3, columns: 80) == "Layer 1/2 abc 5 B, 12 B/s")
    let huge = item(1, .max)
    for rate in [0, 0.1, 1, 1e9, 1e300] {
      for columns in 1...120 { #expect(ProgressDisplay.bar(huge, rate: rate, columns: columns).count <= columns) }
    }
    #expect(ProgressDisplay.bar(item(1, 1000), columns: 12) == "Layer 1/2 a")
  }
}
