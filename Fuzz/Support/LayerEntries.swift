// SPDX-License-Identifier: Apache-2.0
private import Glibc

/// An entry of a layer on a tree so small that entries meet: what a fuzz target makes of six bytes.
struct LayerEntry {
  /// The types of entries, weighted by what is interesting.
  private static let types = Array("0055221162".utf8) + Array("00553".utf8) + [UInt8(ascii: "0")]
  private static let components = [
    "", "a", "b", "c", "a", "b", ".", "..", ".wh.a", ".wh.b", ".wh..wh..opq", ".wh..wh.x", ".wh.", ".wh..", "d", "",
  ].map { Array($0.utf8) }
  /// Names outside of the tree, and what it has at the same place seen from its root.
  private static let targets = ["a", "b", "../a", "/b", "a/b", "c", "..", "/", "../../outside", ".", "b/../c", "/a/b"]

  let name: [UInt8]
  let type: UInt8
  let link: [UInt8]
  let mode: UInt32
  let content: [UInt8]
  let device: Int
  let time: Int

  /// All entries that the bytes are enough for, at most 24.
  static func decode(_ bytes: ArraySlice<UInt8>) -> [LayerEntry] {
    stride(from: bytes.startIndex, to: min(bytes.endIndex - 5, bytes.startIndex + 24 * 6), by: 6).map { start in
      LayerEntry(bytes[start..<(start + 6)])
    }
  }

  private init(_ six: ArraySlice<UInt8>) {
    let bytes = Array(six)
    type = Self.types[Int(bytes[0] & 15)]
    let path = bytes[1...3].map { Self.components[Int($0 & 15)] }.filter { !$0.isEmpty }
    let joined = Array(path.joined(separator: [UInt8(ascii: "/")]))
    name = bytes[0] & 16 != 0 || joined.isEmpty ? [UInt8(ascii: "/")] + joined : joined
    switch type {
    case UInt8(ascii: "1"): link = bytes[4] & 16 == 0 ? name : Array(Self.targets[Int(bytes[4]) % 12].utf8)
    case UInt8(ascii: "2"):
      link = Array((bytes[4] == 255 ? "\(Scratch.path)/outside" : Self.targets[Int(bytes[4]) % 12]).utf8)
    default: link = []
    }
    mode = [0o644, 0o755, 0o700, 0o4755, 0o1777, 0o2755, 0o000, 0o555][Int(bytes[5] & 7)]
    content = type == UInt8(ascii: "0") ? Array(repeating: bytes[5], count: Int(bytes[5] >> 3) * 20) : []
    device = Int(bytes[4] & 1)
    time = 1_000_000_000 + Int(bytes[5])
  }

  /// Header and content.
  var archived: [UInt8] {
    TarBlocks.header(
      name, type: type, size: content.count, mode: Int(mode), uid: Int(geteuid()), link: link, time: time,
      device: device) + TarBlocks.padded(content)
  }
}

extension [LayerEntry] {
  /// The whole archive.
  var archive: [UInt8] { flatMap(\.archived) + Array<UInt8>(repeating: 0, count: 1024) }
}
