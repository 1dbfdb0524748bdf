// SPDX-License-Identifier: Apache-2.0

import StowageArchive
import StowageCompression
import StowageModel
import StowageTestSupport
import SystemPackage
import Testing

@testable import StowageDiff

/// Entries for the root of a layer (archive-and-diff 4.2.2).
@Suite("Entries for the root") struct RootEntryTests {
  @Test(arguments: [".", "a/..", "./"], [TarHeader.Kind.regular, .symbolicLink, .fifo])
  func `A root that is no directory is refused, also where its entry is passed over`(name: String, kind: TarHeader.Kind)
    throws
  {
    for options in [ApplyOptions(), plain] {
      try withTemporaryDirectory { root in
        let archive = BytesSink()
        let writer = TarWriter(archive)
        var header = TarHeader(kind: kind, name: Array(name.utf8))
        header.linkName = kind == .symbolicLink ? Array("/tmp".utf8) : []
        try writer.begin(header)
        try writer.finish()
        let error = #expect(throws: StorageError.self) {
          try applyLayer(from: BytesSource(archive.bytes), to: root, options: options, request: ApplyRequest())
        }
        #expect(
          error?.message.contains("would replace the root of the layer") == true,
          "\(error.map(String.init(describing:)) ?? "")")
      }
    }
  }
}
