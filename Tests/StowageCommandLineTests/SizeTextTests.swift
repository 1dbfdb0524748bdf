// SPDX-License-Identifier: Apache-2.0

import StowageCommandLine
import Testing

/// Numbers of bytes as options take them.
@Suite("Texts of sizes")
struct SizeTextTests {
  @Test func `A size is a number of bytes, or one with a unit, capital or small`() {
    #expect(parseSize("0") == 0)
    #expect(parseSize("20G") == 20 << 30)
    #expect(parseSize("1k") == 1 << 10)
    #expect(parseSize("8388607T") == 8_388_607 << 40)
  }

  /// The last character becomes several when it is made a capital one: `SS`, `FFI`.
  @Test(arguments: ["1ß", "1ﬃ", "", "K", "-1", "1 K", "8388608T", "9223372036854775808", "1K\u{301}"])
  func `What is no size is refused, whatever its characters`(_ text: String) {
    #expect(parseSize(text) == nil)
  }
}
