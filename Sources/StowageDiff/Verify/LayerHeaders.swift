// SPDX-License-Identifier: Apache-2.0

internal import StowageArchive
internal import StowageCompression
internal import StowageFiles
package import StowageModel
internal import StowageSystem
package import SystemPackage

/// The headers of a layer's archive, as its tar-split file tells them.
package struct LayerHeaders {
  let entries: [TarHeader]

  /// Reads a tar-split file to its end; the layer's tree is not needed.
  ///
  /// - Throws: `invalidArchive`, `corrupt` if the archive or the file is malformed; `system`.
  package init(tarSplit: FilePath) throws(StorageError) {
    let file = try attempt("open", tarSplit) { () throws(Errno) in try Syscall.open(tarSplit, .readOnly) }
    var entries: [TarHeader] = []
    do throws(ArchiveError) {
      let skeleton = TarSplitSkeleton(DescriptorSource(file.rawValue))
      let reader = TarReader(skeleton)
      while let header = try reader.next() {
        if header.kind != .globalHeader { entries.append(header) }
      }
      // A file that was cut off behind the last entry is no whole one either.
      while try !skeleton.nextChunk().isEmpty {}
    } catch {
      throw error.asStorageError
    }
    self.entries = entries
  }
}
