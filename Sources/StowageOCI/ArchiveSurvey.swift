// SPDX-License-Identifier: Apache-2.0

import StowageArchive
package import StowageCompression
import StowageImage
package import StowageModel

/// What an archive of images has in it, found as a load finds it, with nothing loaded: for fuzzing.
package struct ArchiveSurvey: Sendable {
  /// One image that would be loaded.
  package struct Image: Sendable {
    /// The configuration's bytes, and the digest that the image is known by.
    package let config: [UInt8], configDigest: Digest
    /// The manifest's bytes, as in the archive or as made for one without, and their digest.
    package let manifest: [UInt8], manifestDigest: Digest
    /// Normalised names.
    package let names: [String]
    /// Where the stored bytes of the layers are, base layer first.
    package let layers: [Range<Int64>]
  }

  /// A member of a tar file, as in the index.
  package struct Member: Hashable, Sendable {
    /// The cleaned path.
    package let path: [UInt8]
    /// The typeflag.
    package let kind: UInt8
    /// The target of a link.
    package let linkName: [UInt8]
    /// Where the content begins.
    package let offset: Int64
    /// Bytes of content; -1 if it is not stored in one piece.
    package let size: Int64
  }

  private let input: ArchiveInput

  /// Opens an archive; compressed ones are unpacked up to `limit`.
  package init(_ source: ImageSource, limit: SizeLimit) throws(StorageError) {
    input = try ArchiveInput.open(source, limit)
  }

  /// Plans all images.
  package func images() throws(StorageError) -> [Image] {
    try ImageFormat.plans(of: input).map { plan in
      Image(
        config: plan.config, configDigest: plan.configDigest, manifest: plan.manifest,
        manifestDigest: plan.manifestDigest, names: plan.names,
        layers: plan.layers.map { $0.blob.offset..<($0.blob.offset + $0.blob.size) })
    }
  }

  /// The members of a tar file; empty for a directory.
  ///
  /// - Parameter jumpSize: Contents larger than this are jumped over.
  package func members(jumpingOver jumpSize: Int64) throws(ArchiveError) -> [Member] {
    guard case .file(let file) = input else { return [] }
    return try TarIndex(file, jumpSize: jumpSize).members.map { member in
      Member(
        path: member.path, kind: member.kind.rawValue, linkName: member.linkName, offset: member.offset,
        size: member.size)
    }
  }
}
