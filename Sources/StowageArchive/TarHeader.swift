// SPDX-License-Identifier: Apache-2.0

/// A time as archives and file systems hold it.
package struct ArchiveTime: Hashable, Sendable, Comparable {
  /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
  package var seconds: Int64
  /// 0…999_999_999, counted forward from `seconds`.
  package var nanoseconds: Int64

  /// Makes a time; both parts as documented.
  package init(seconds: Int64, nanoseconds: Int64 = 0) {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  package static func < (left: ArchiveTime, right: ArchiveTime) -> Bool {
    (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
  }
}

/// One member of a layer archive, with everything its header and PAX records say.
///
/// Names are bytes exactly as in the archive (not cleaned; a directory's trailing `/` is kept).
package struct TarHeader: Sendable {
  /// The typeflag byte of a header; unknown values are kept.
  package struct Kind: RawRepresentable, Hashable, Sendable {
    /// The byte itself.
    package let rawValue: UInt8
    /// Any byte.
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// `0`: a regular file.
    package static let regular = Kind(rawValue: UInt8(ascii: "0"))
    /// `1`: a hard link to `linkName`.
    package static let hardLink = Kind(rawValue: UInt8(ascii: "1"))
    /// `2`: a symbolic link.
    package static let symbolicLink = Kind(rawValue: UInt8(ascii: "2"))
    /// `3`: a character device.
    package static let characterDevice = Kind(rawValue: UInt8(ascii: "3"))
    /// `4`: a block device.
    package static let blockDevice = Kind(rawValue: UInt8(ascii: "4"))
    /// `5`: a directory.
    package static let directory = Kind(rawValue: UInt8(ascii: "5"))
    /// `6`: a FIFO.
    package static let fifo = Kind(rawValue: UInt8(ascii: "6"))
    /// `g`: PAX records for all later entries, which the reference does not apply.
    package static let globalHeader = Kind(rawValue: UInt8(ascii: "g"))
    /// `S`: a sparse file in the old GNU format.
    package static let gnuSparse = Kind(rawValue: UInt8(ascii: "S"))

    /// Whether no content follows such a header, whatever its size says.
    package var isHeaderOnly: Bool { rawValue >= UInt8(ascii: "1") && rawValue <= UInt8(ascii: "6") }
  }

  /// An extended attribute.
  package struct ExtendedAttribute: Hashable, Sendable {
    /// The name with its name space, such as `user.a`.
    package var name: [UInt8]
    /// The value; may be empty.
    package var value: [UInt8]

    /// Makes an attribute.
    package init(name: [UInt8], value: [UInt8]) {
      self.name = name
      self.value = value
    }
  }

  /// What the entry is.
  package var kind: Kind
  /// The path.
  package var name: [UInt8]
  /// The target of a link.
  package var linkName: [UInt8]
  /// The mode field; may hold more than the 12 permission bits.
  package var mode: Int64
  /// The owner, before any ID mapping; may be outside the range of an ID.
  package var uid: Int64
  /// The group, before any ID mapping; may be outside the range of an ID.
  package var gid: Int64
  /// The logical size in bytes. Header-only kinds may have one, too; no content follows those.
  package var size: Int64
  /// The time of modification.
  package var modified: ArchiveTime
  /// The time of access, if the archive has one.
  package var accessed: ArchiveTime?
  /// The time of change, if the archive has one.
  package var changed: ArchiveTime?
  /// The major number of a device.
  package var deviceMajor: Int64
  /// The minor number of a device.
  package var deviceMinor: Int64
  /// The attributes of `SCHILY.xattr.` records, in the archive's order; of a repeated name the last value.
  package var extendedAttributes: [ExtendedAttribute]
  /// Whether the content is stored with holes.
  package var isSparse: Bool

  /// Makes a header; what is not given is zero or empty.
  package init(
    kind: Kind, name: [UInt8], linkName: [UInt8] = [], mode: Int64 = 0, uid: Int64 = 0, gid: Int64 = 0,
    size: Int64 = 0, modified: ArchiveTime = ArchiveTime(seconds: 0), accessed: ArchiveTime? = nil,
    changed: ArchiveTime? = nil, deviceMajor: Int64 = 0, deviceMinor: Int64 = 0,
    extendedAttributes: [ExtendedAttribute] = [], isSparse: Bool = false
  ) {
    self.kind = kind
    self.name = name
    self.linkName = linkName
    self.mode = mode
    self.uid = uid
    self.gid = gid
    self.size = size
    self.modified = modified
    self.accessed = accessed
    self.changed = changed
    self.deviceMajor = deviceMajor
    self.deviceMinor = deviceMinor
    self.extendedAttributes = extendedAttributes
    self.isSparse = isSparse
  }

  /// Whether the bytes delivered as content are what a tar-split file must be able to ask for again.
  ///
  /// False for entries whose content has to be kept in the tar-split file itself, because no file of the extracted tree
  /// holds exactly the archive's bytes: sparse files, whiteouts, and kinds without content (archive-and-diff 14, W5).
  package var contentIsInTree: Bool {
    guard size > 0, !isSparse, !kind.isHeaderOnly, kind != .gnuSparse, kind != .globalHeader else { return false }
    return !namesWhiteout
  }

  /// Whether the last component of the name begins with `.wh.`.
  package var namesWhiteout: Bool {
    name.withUnsafeBytes { bytes in
      var end = bytes.count
      while end > 0 && bytes[end - 1] == UInt8(ascii: "/") { end -= 1 }
      var start = end
      while start > 0 && bytes[start - 1] != UInt8(ascii: "/") { start -= 1 }
      guard end - start >= 4 else { return false }
      return bytes[start] == UInt8(ascii: ".") && bytes[start + 1] == UInt8(ascii: "w")
        && bytes[start + 2] == UInt8(ascii: "h") && bytes[start + 3] == UInt8(ascii: ".")
    }
  }
}
