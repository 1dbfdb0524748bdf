// SPDX-License-Identifier: Apache-2.0

internal import StowageArchive
internal import StowageCompression
internal import StowageFiles
package import StowageModel
internal import StowageSystem
package import SystemPackage

/// The headers of a layer's archive, as its tar-split file tells them.
package struct LayerHeaders {
  /// How a layer's tree came to be from its archive.
  package enum Form: Hashable, Sendable {
    /// By extraction, which follows each header.
    case extracted
    /// By a partial pull or a conversion, which leaves out devices and FIFOs, owners and times of links, times of
    /// directories, and takes files over from other layers (chunked-and-composefs 7.1).
    case pulledInParts
    /// By extraction or as a copy, whose owners were changed for a container's maps in place, which changes times of directories,
    /// those of lower layers included.
    case copiedForMaps
  }

  let entries: [TarHeader]
  let form: Form

  /// Headers that are known already.
  init(entries: [TarHeader], form: Form) {
    self.entries = entries
    self.form = form
  }

  /// Reads a tar-split file to its end; the layer's tree is not needed.
  ///
  /// - Throws: `invalidArchive`, `corrupt` if the archive or the file is malformed; `system`.
  package init(tarSplit: FilePath, form: Form = .extracted) throws(StorageError) {
    let file = try StoreFile.open(tarSplit)
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
    self.form = form
  }
}
