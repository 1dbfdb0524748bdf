// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import StowageModel

/// Files with random damage are read or refused, never trap, and what is read is written back unchanged.
@Suite("Damaged record files") struct MutationTests {
  private func check<R: StoreRecord>(_ text: String, _: R.Type, seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<300 {
      let bytes = damaged(Array(text.utf8), &random)
      guard let document = try? RecordDocument<R>.parse(bytes) else { continue }
      let again = try RecordDocument<R>.parse(document.encoded())
      #expect(again.entries.count == document.entries.count, "seed \(seed)")
      // A record that is read can be encoded anew, and that is read as the same.
      var fresh = RecordDocument<R>()
      for record in document.records { fresh.append(record) }
      let reread = try RecordDocument<R>.parse(fresh.encoded())
      #expect(reread.entries.allSatisfy { $0.record != nil }, "seed \(seed)")
      #expect(reread.encoded() == fresh.encoded(), "seed \(seed)")
    }
  }

  private func damaged(_ source: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
    var bytes = source
    let interesting = Array("\"\\{}[],:0-9eE.tfn u\u{0}/".utf8) + [0xFF, 0x80, 0xE2, 0x1F]
    for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
      let index = Int.random(in: 0..<bytes.count, using: &random)
      let byte = interesting.randomElement(using: &random) ?? 0
      switch Int.random(in: 0..<5, using: &random) {
      case 0: bytes[index] = byte
      case 1: bytes.insert(byte, at: index)
      case 2: bytes.remove(at: index)
      case 3: bytes[index] ^= UInt8(1 << Int.random(in: 0..<8, using: &random))
      default: bytes.removeLast(Int.random(in: 0...min(20, bytes.count), using: &random))
      }
    }
    return bytes
  }

  @Test(arguments: 0..<12)
  func `Damaged layer files do not trap`(seed: UInt64) throws {
    try check(ReferenceFiles.overlayLayers, LayerRecord.self, seed: seed)
  }

  @Test(arguments: 0..<12)
  func `Damaged image files do not trap`(seed: UInt64) throws {
    try check(ReferenceFiles.newPodmanImages, ImageRecord.self, seed: seed)
  }

  @Test(arguments: 0..<12)
  func `Damaged container files do not trap`(seed: UInt64) throws {
    try check(ReferenceFiles.overlayContainers, ContainerRecord.self, seed: seed)
  }

  @Test(arguments: 0..<12)
  func `Damaged mount files do not trap`(seed: UInt64) throws {
    try check(
      #"[{"id":"a","path":"/m/é","count":2},{"id":"b","path":"","count":-9223372036854775808}]"#,
      MountRecord.self, seed: seed)
  }
}
