// SPDX-License-Identifier: Apache-2.0

import StowageArchive
import StowageCompression
import StowageModel

/// Where the members of an uncompressed tar file are.
///
/// Contents are jumped over, not read: indexing a large archive costs a few system calls per member.
struct TarIndex: Sendable {
  /// One member.
  struct Member: Sendable {
    /// Lexically cleaned path; only for looking things up, never used on a file system.
    let path: [UInt8]
    /// The typeflag.
    let kind: TarHeader.Kind
    /// The target of a link, as written.
    let linkName: [UInt8]
    /// Where the content begins in the file.
    let offset: Int64
    /// Bytes of content; -1 if it is not stored in one piece.
    let size: Int64
  }

  /// Longer paths cannot be asked for by any document.
  private static let longestPath = 4096
  /// An archive of images has a handful of members per image; bounds on memory for a hostile one.
  private static let mostMembers = 1 << 17
  /// Bytes of all names and link targets.
  private static let mostNameBytes = 16 << 20

  /// The members in order.
  private(set) var members: [Member] = []
  private let jumpSize: Int64
  private var nameBytes = 0
  private var first: [[UInt8]: Int] = [:]
  private var last: [[UInt8]: Int] = [:]

  /// Reads all headers of `file`.
  ///
  /// - Parameter jumpSize: contents larger than this are jumped over with a new reader; smaller ones are cheaper to read past.
  /// - Throws: `ArchiveError` as the tar reader's; `unexpectedEnd` if the last member is not complete.
  init(_ file: InputFile, jumpSize: Int64 = 64 << 10) throws(ArchiveError) {
    self.jumpSize = jumpSize
    var position = file.start
    while let next = try scan(file, from: position) { position = next }
  }

  /// The member with a path: the first of that name, or the last one, which is what unpacking would leave.
  func member(_ path: [UInt8], preferringLast: Bool) -> Member? {
    (preferringLast ? last[path] : first[path]).map { members[$0] }
  }

  /// Reads headers from `start` up to a large content or the end; returns where to go on, nil at the end.
  private mutating func scan(_ file: InputFile, from start: Int64) throws(ArchiveError) -> Int64? {
    let counter = ByteCounter()
    let source = FileRangeSource(file, from: start, to: file.end, chunkSize: 16 << 10)
    let reader = TarReader(source, observer: counter)
    while let header = try reader.next() {
      let (offset, overflow) = start.addingReportingOverflow(counter.count)
      guard !overflow else { throw ArchiveError.invalidHeader }
      let isPlain = !header.isSparse && header.kind != .gnuSparse
      let size = header.kind.isHeaderOnly ? 0 : header.size
      guard size >= 0, !isPlain || size <= file.end - offset else { throw ArchiveError.unexpectedEnd }
      try append(header, offset: offset, size: isPlain ? size : -1)
      if isPlain, size > jumpSize {
        let padded = (size + 511) & ~511
        // The last member's padding may be missing; its content is not.
        return min(offset + padded, file.end)
      }
    }
    return nil
  }

  private mutating func append(_ header: TarHeader, offset: Int64, size: Int64) throws(ArchiveError) {
    guard header.kind != .globalHeader, header.name.count <= TarIndex.longestPath else { return }
    guard members.count < TarIndex.mostMembers else {
      throw ArchiveError(.unsupported, "more than \(TarIndex.mostMembers) members")
    }
    let path = cleanedPath(header.name)
    // A longer target leads to nothing that is in the index; what is no link needs none.
    let isLink = header.kind == .symbolicLink || header.kind == .hardLink
    let linkName = isLink && header.linkName.count <= TarIndex.longestPath ? header.linkName : []
    nameBytes += path.count + linkName.count
    guard nameBytes <= TarIndex.mostNameBytes else {
      throw ArchiveError(.unsupported, "more than \(TarIndex.mostNameBytes) bytes of names")
    }
    let position = members.count
    members.append(Member(path: path, kind: header.kind, linkName: linkName, offset: offset, size: size))
    if first[path] == nil { first[path] = position }
    last[path] = position
  }
}

/// Counts what a tar reader has consumed: after a header, the count is where the content begins.
private final class ByteCounter: TarObserver {
  private(set) var count: Int64 = 0

  func raw(_ bytes: UnsafeRawBufferPointer) { count &+= Int64(bytes.count) }
  func beginEntry(_ header: TarHeader) {}
  func content(_ bytes: UnsafeRawBufferPointer) { count &+= Int64(bytes.count) }
  func endEntry() {}
}

/// Cleans a path without looking at any file system: no empty and `.` components, `..` takes away the component before
/// it; what leads above the top keeps its `..` and so is never found.
func cleanedPath(_ path: some Collection<UInt8>) -> [UInt8] {
  var components: [ArraySlice<UInt8>] = []
  let isAbsolute = path.first == UInt8(ascii: "/")
  for component in Array(path).split(separator: UInt8(ascii: "/")) where !component.elementsEqual([0x2E]) {
    let isUp = component.elementsEqual([0x2E, 0x2E])
    if isUp, let last = components.last, !last.elementsEqual([0x2E, 0x2E]) {
      components.removeLast()
    } else if !(isUp && isAbsolute) {
      components.append(component)
    }
  }
  let joined = Array(components.joined(separator: [UInt8(ascii: "/")]))
  return isAbsolute ? [UInt8(ascii: "/")] + joined : joined
}
