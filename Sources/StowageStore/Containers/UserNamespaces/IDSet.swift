// SPDX-License-Identifier: Apache-2.0

internal import StowageModel

/// A set of IDs as sorted ranges that neither touch nor overlap. What a range has outside of 0…2³²−2 is no ID and left out.
struct IDSet: Equatable {
  /// The first value that is no ID: it stands for "unchanged" in system calls.
  static let end = Int(UInt32.max)

  private(set) var ranges: [Range<Int>] = []

  init() {}

  init(_ ranges: some Sequence<Range<Int>>) {
    for range in ranges.map({ $0.clamped(to: 0..<IDSet.end) }).sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if range.isEmpty { continue }
      if let last = self.ranges.last, range.lowerBound <= last.upperBound {
        self.ranges[self.ranges.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
      } else {
        self.ranges.append(range)
      }
    }
  }

  /// The IDs of a map as the host sees them.
  static func host(_ maps: some Sequence<IDMapping>) -> IDSet { IDSet(maps.map { span($0.hostID, $0.size) }) }

  /// The IDs of a map as the container sees them.
  static func container(_ maps: some Sequence<IDMapping>) -> IDSet { IDSet(maps.map { span($0.containerID, $0.size) }) }

  private static func span(_ start: Int, _ size: Int) -> Range<Int> {
    guard size > 0 else { return 0..<0 }
    let (end, isTooBig) = start.addingReportingOverflow(size)
    return start..<(isTooBig ? Int.max : end)
  }

  /// The number of IDs.
  var count: Int { ranges.reduce(0) { $0 + $1.count } }

  /// The IDs that the other set does not have.
  func subtracting(_ other: IDSet) -> IDSet {
    var left: [Range<Int>] = []
    var rest = other.ranges[...]
    for range in ranges {
      var start = range.lowerBound
      while let hole = rest.first, hole.lowerBound < range.upperBound {
        if hole.lowerBound > start { left.append(start..<hole.lowerBound) }
        start = max(start, hole.upperBound)
        // What reaches further may take from the next range too.
        if hole.upperBound > range.upperBound { break }
        rest.removeFirst()
      }
      if start < range.upperBound { left.append(start..<range.upperBound) }
    }
    return IDSet(left)
  }

  /// Maps these IDs of a container, in ascending order, to the lowest ones of `host`; nil if those are too few.
  func mapped(to host: IDSet) -> [IDMapping]? {
    var map: [IDMapping] = []
    var free = host.ranges[...]
    for wanted in ranges {
      var next = wanted.lowerBound
      while next < wanted.upperBound {
        guard let range = free.popFirst() else { return nil }
        let size = min(range.count, wanted.upperBound - next)
        map.append(IDMapping(containerID: next, hostID: range.lowerBound, size: size))
        next += size
        let rest = range.dropFirst(size)
        if !rest.isEmpty { free = [rest] + free }
      }
    }
    return map
  }
}
