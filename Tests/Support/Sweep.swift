// SPDX-License-Identifier: Apache-2.0
internal import StowageSystem

/// Which steps of a sweep this run looks at: a sample that the seed shifts, or with `STOWAGE_SWEEP` a share of all.
package enum Sweep {
  /// `STOWAGE_SEED`, which `scripts/test` derives from the commit and prints: over many commits each step has its turn.
  package static let seed = environmentValue("STOWAGE_SEED").flatMap { UInt64($0) } ?? 0

  /// `STOWAGE_SWEEP=I/N`: every N-th step from the I-th on, I from 1; the N shares together are all steps.
  private static let share: (first: Int, stride: Int)? = {
    let numbers = (environmentValue("STOWAGE_SWEEP") ?? "").split(separator: "/").compactMap { Int($0) }
    guard numbers.count == 2, numbers[0] >= 1, numbers[0] <= numbers[1] else { return nil }
    return (numbers[0], numbers[1])
  }()

  /// Steps of `1...count`, in order: about `sample` of them, or this run's share of all.
  package static func steps(of count: Int, sample: Int) -> [Int] {
    if let share { return Array(Swift.stride(from: share.first, through: count, by: share.stride)) }
    let stride = max(1, count / sample)
    return Array(Swift.stride(from: 1 + Int(seed % UInt64(stride)), through: count, by: stride))
  }
}
