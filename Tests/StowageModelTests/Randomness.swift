// SPDX-License-Identifier: Apache-2.0

import StowageModel

/// SplitMix64: the same numbers for the same seed, everywhere.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// Random JSON in the normal form of the writer: sorted unique members, numbers as written.
enum RandomJSON {
  static func value(_ random: inout SeededGenerator, depth: Int) -> JSONValue {
    switch Int.random(in: 0..<(depth > 3 ? 4 : 6), using: &random) {
    case 0: return .null
    case 1: return .bool(Bool.random(using: &random))
    case 2: return .number(String(Int64.random(in: -1_000_000_000_000...1_000_000_000_000, using: &random)))
    case 3: return .string(text(&random))
    case 4: return .array((0..<Int.random(in: 0..<5, using: &random)).map { _ in value(&random, depth: depth + 1) })
    default:
      var table = KeyedValues<JSONValue>()
      for _ in 0..<Int.random(in: 0..<5, using: &random) { table[text(&random)] = value(&random, depth: depth + 1) }
      return .object(table.map { JSONValue.Member($0.key, $0.value) })
    }
  }

  static func text(_ random: inout SeededGenerator) -> String {
    var out = ""
    for _ in 0..<Int.random(in: 0..<30, using: &random) {
      let limits: [UInt32] = [0x20, 0x80, 0x80, 0x80, 0x800, 0x3000, 0x110000]
      let limit = limits.randomElement(using: &random) ?? 0x80
      if let scalar = Unicode.Scalar(UInt32.random(in: 0..<limit, using: &random)) { out.unicodeScalars.append(scalar) }
    }
    return out
  }
}
