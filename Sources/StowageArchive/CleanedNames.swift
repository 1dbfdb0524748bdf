// SPDX-License-Identifier: Apache-2.0
private import Glibc

/// The set of the lexically cleaned paths of an archive, to find duplicates.
///
/// Names lie one behind the other in one buffer and the table holds 8 bytes each: an archive of 60 000 entries with names
/// of 60 bytes needs 5 MB. Hashes are seeded per process, so that no archive can be made to collide.
struct CleanedNames {
  private struct Slot {
    /// The upper half of the hash, to skip most comparisons.
    var tag: UInt32
    /// Where the name begins, plus one; 0 is free.
    var place: UInt32
  }

  private var arena: [UInt8] = []
  private var slots = [Slot](repeating: Slot(tag: 0, place: 0), count: 1024)
  private var count = 0
  private var scratch: [UInt8] = []

  /// Adds the cleaned form of `name`; false if it is there already, nil if the set is full (4 GiB of names).
  mutating func insert(_ name: [UInt8]) -> Bool? {
    Self.clean(name, into: &scratch)
    guard arena.count <= Int(UInt32.max) - scratch.count - 8, scratch.count < Int(UInt32.max) else { return nil }
    if count * 4 >= slots.count * 3 { grow() }
    let hash = Self.hash(scratch)
    let tag = UInt32(truncatingIfNeeded: hash >> 32)
    var index = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[index].place != 0 {
      if slots[index].tag == tag && isEqual(at: slots[index].place) { return false }
      index = (index + 1) & (slots.count - 1)
    }
    slots[index] = Slot(tag: tag, place: UInt32(arena.count) + 1)
    withUnsafeBytes(of: UInt32(scratch.count)) { arena.append(contentsOf: $0) }
    arena.append(contentsOf: scratch)
    count += 1
    return true
  }

  private func isEqual(at place: UInt32) -> Bool {
    let start = Int(place) - 1
    guard length(at: start) == scratch.count else { return false }
    return arena.withUnsafeBytes { all in
      scratch.withUnsafeBytes { name in
        all[(start + 4)..<(start + 4 + name.count)].elementsEqual(name)
      }
    }
  }

  private func length(at start: Int) -> Int {
    arena.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: start, as: UInt32.self)) }
  }

  private mutating func grow() {
    var larger = [Slot](repeating: Slot(tag: 0, place: 0), count: slots.count * 2)
    for slot in slots where slot.place != 0 {
      let start = Int(slot.place) - 1
      let hash = Self.hash(arena[(start + 4)..<(start + 4 + length(at: start))])
      var index = Int(truncatingIfNeeded: hash) & (larger.count - 1)
      while larger[index].place != 0 { index = (index + 1) & (larger.count - 1) }
      larger[index] = slot
    }
    slots = larger
  }

  private static func hash(_ bytes: some Collection<UInt8>) -> UInt64 {
    var hasher = Hasher()
    if bytes.withContiguousStorageIfAvailable({ hasher.combine(bytes: UnsafeRawBufferPointer($0)) }) == nil {
      for byte in bytes { hasher.combine(byte) }
    }
    return UInt64(bitPattern: Int64(hasher.finalize()))
  }

  /// The shortest path that means the same without looking at a file system: no `//`, `.`, inner `..` or final `/`.
  static func clean(_ name: [UInt8], into result: inout [UInt8]) {
    let slash = UInt8(ascii: "/")
    let dot = UInt8(ascii: ".")
    result.removeAll(keepingCapacity: true)
    let isRooted = name.first == slash
    if isRooted { result.append(slash) }
    /// The length of what `..` cannot take back.
    var fixed = result.count
    var start = 0
    while start < name.count {
      var end = start
      while end < name.count && name[end] != slash { end += 1 }
      let length = end - start
      if length == 2 && name[start] == dot && name[start + 1] == dot {
        if result.count > fixed {
          var cut = result.count - 1
          while cut > fixed && result[cut] != slash { cut -= 1 }
          result.removeSubrange(cut...)
        } else if !isRooted {
          if !result.isEmpty { result.append(slash) }
          result.append(dot)
          result.append(dot)
          fixed = result.count
        }
      } else if length > 0 && !(length == 1 && name[start] == dot) {
        if result.count > (isRooted ? 1 : 0) { result.append(slash) }
        result.append(contentsOf: name[start..<end])
      }
      start = end + 1
    }
    if result.isEmpty { result.append(dot) }
  }
}
