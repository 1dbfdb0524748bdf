// SPDX-License-Identifier: Apache-2.0

import StowageArchive
import StowageModel

/// An image in a tar file, read in place.
struct TarContainer: BlobContainer {
  /// How members are found, which is not the same for the two formats.
  enum Rules: Sendable {
    /// docker-archive: the first member of a name counts; a hard link is not a file (chunked-and-composefs 5.8).
    case dockerArchive
    /// OCI archive: as if the archive had been unpacked, so the last member counts and hard links are files.
    case unpacked
  }

  private let file: InputFile
  private let index: TarIndex
  private let rules: Rules

  /// Looks into `file` by means of its index.
  init(_ file: InputFile, _ index: TarIndex, rules: Rules) {
    self.file = file
    self.index = index
    self.rules = rules
  }

  func blob(at path: String) throws(StorageError) -> Blob? {
    let cleaned = cleanedPath(path.utf8)
    guard var member = find(cleaned) else { return nil }
    // One step, as the reference does; a chain or a loop ends in "not a regular file".
    if member.kind == .symbolicLink {
      let directory = member.path.prefix((member.path.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1)
      let link = member.linkName.drop { $0 == UInt8(ascii: "/") }
      member = try target(of: member, at: cleanedPath(directory + link), named: path)
    } else if member.kind == .hardLink, case .unpacked = rules {
      member = try target(of: member, at: cleanedPath(member.linkName), named: path)
    }
    guard member.kind == .regular, member.size >= 0 else {
      throw StorageError(.invalidArchive, "\(path): not a regular file")
    }
    return Blob(name: path, file: file, offset: member.offset, size: member.size)
  }

  private func find(_ path: [UInt8]) -> TarIndex.Member? {
    switch rules {
    case .dockerArchive: index.member(path, preferringLast: false)
    case .unpacked:
      index.member(path, preferringLast: true) ?? index.member([UInt8(ascii: "/")] + path, preferringLast: true)
    }
  }

  private func target(
    of link: TarIndex.Member, at path: [UInt8], named name: String
  ) throws(StorageError) -> TarIndex.Member {
    guard let member = find(path) else {
      let text = goQuoted(String(decoding: link.linkName, as: UTF8.self))
      throw StorageError(.invalidArchive, "\(name): a link to \(text), which is not in the archive")
    }
    return member
  }
}
