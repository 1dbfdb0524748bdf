// SPDX-License-Identifier: Apache-2.0

import Synchronization
import Testing

@testable import StowageModel

@Suite("Quoted texts") struct GoQuotedTests {
  @Test(arguments: [
    ("plain é 漢 😀", #""plain é 漢 😀""#), ("a\"b\\c", #""a\"b\\c""#),
    ("\u{7}\u{8}\u{C}\n\r\t\u{B}", #""\a\b\f\n\r\t\v""#), ("\u{0}\u{1B}\u{7F}", #""\x00\x1b\x7f""#),
    ("\u{80}\u{A0}\u{200B}\u{FEFF}\u{AD}", #""\u0080\u00a0\u200b\ufeff\u00ad""#), ("\u{E000}", #""\ue000""#),
    ("\u{E0001}", #""\U000e0001""#), ("\u{2028}\u{3000}", #""\u2028\u3000""#), ("\u{301}", "\"\u{301}\""),
    ("\u{FFFD}", "\"\u{FFFD}\""),
  ])
  func `Texts are quoted as Go quotes them`(text: String, expected: String) {
    #expect(goQuoted(text).hasSameBytes(as: expected))
  }

  @Test func `Invalid bytes are shown as hexadecimal`() {
    #expect(
      goQuoted(bytes: [0x61, 0xFF, 0xC3, 0xA9, 0xE2, 0x82, 0xED, 0xA0, 0x80]) == #""a\xffé\xe2\x82\xed\xa0\x80""#)
  }
}

@Suite("File names of items") struct BigDataFileNameTests {
  @Test(arguments: [
    ("manifest", "manifest"), ("abcA", "abcA"), ("Abc", "=QWJj"), ("xé", "xé"), (".hidden0", ".hidden0"),
    ("???", "=Pz8"), ("manifest-sha256:ab", "=bWFuaWZlc3Qtc2hhMjU2OmFi"),
    ("zstd-chunked-manifest", "=enN0ZC1jaHVua2VkLW1hbmlmZXN0"),
    ("toc", "toc"), ("A", "A"), ("a-", "a-"), ("a-b", "=YS1i"), ("-", "-"), ("ab/", "ab"), ("éa", "=w6lh"),
  ])
  func `Keys become file names`(key: String, name: String) throws {
    #expect(try bigDataFileName(for: key).hasSameBytes(as: name))
  }

  @Test(arguments: ["", ".", "..", "/", "userdata", "????", "../"])
  func `Keys that cannot be stored are refused`(key: String) {
    let error = #expect(throws: StorageError.self) { try bigDataFileName(for: key) }
    #expect(error?.code == .invalidBigDataName)
    #expect(error?.message == "not a valid name for a big data item")
  }
}

@Suite("Errors") struct StorageErrorTests {
  @Test func `Wrapping puts a context in front and keeps the code`() {
    let error = StorageError(.imageUnknown, subject: "x").wrapped(#"locating image with ID "x""#)
    #expect(error.message == #"locating image with ID "x": image not known"#)
    #expect("\(error)" == error.message)
    #expect(error.code == .imageUnknown)
    #expect(error.subject == "x")
  }

  @Test(arguments: [
    (StorageError.Code.layerUnknown, "layer not known"), (.duplicateID, "that ID is already in use"),
    (.notAnID, "identifier is not a layer, image, or container"),
    (.incompleteOptions, "missing necessary StoreOptions"),
    (.prerequisites, "prerequisites for driver not satisfied (wrong filesystem?)"),
    (.driverLayerUnknown, "unknown layer"),
  ])
  func `Codes have the reference's texts`(code: StorageError.Code, text: String) {
    #expect(StorageError(code).message == text)
  }
}

@Suite("Log lines", .serialized) struct LogTests {
  @Test func `Lines below the level are not even built`() {
    let lines = Mutex<[String]>([])
    let built = Mutex(0)
    Log.setSink { level, message in lines.withLock { $0.append("\(level) \(message)") } }
    defer { Log.setSink(nil) }
    Log.debug(
      { () -> String in
        built.withLock { $0 += 1 }; return "hidden"
      }())
    Log.warning("seen")
    Log.error("too")
    #expect(lines.withLock { $0 } == ["warning seen", "error too"])
    #expect(built.withLock { $0 } == 0)
  }
}
