// SPDX-License-Identifier: Apache-2.0
internal import StowageCompression

extension TarBlock {
  /// The fields of this block alone, before PAX records and long names.
  func header(_ format: Format) throws(ArchiveError) -> TarHeader {
    var header = TarHeader(kind: TarHeader.Kind(rawValue: typeflag), name: [])
    let ownName = text(0, 100)
    let target = text(157, 100)
    if !target.isEmpty { header.linkName = Array(target) }
    header.size = try number(124, 12)
    header.mode = try number(100, 8)
    header.uid = try number(108, 8)
    header.gid = try number(116, 8)
    header.modified = ArchiveTime(seconds: try number(136, 12))
    var prefix = UnsafeRawBufferPointer(start: nil, count: 0)
    if format != .v7 {
      header.deviceMajor = try number(329, 8)
      header.deviceMinor = try number(337, 8)
    }
    switch format {
    case .v7: break
    case .ustar: prefix = text(345, 155)
    case .star:
      prefix = text(345, 131)
      header.accessed = ArchiveTime(seconds: try number(476, 12))
      header.changed = ArchiveTime(seconds: try number(488, 12))
    case .gnu: prefix = gnuTimes(&header)
    }
    header.name.reserveCapacity(prefix.count + 1 + ownName.count)
    if !prefix.isEmpty {
      header.name.append(contentsOf: prefix)
      header.name.append(UInt8(ascii: "/"))
    }
    header.name.append(contentsOf: ownName)
    return header
  }

  /// Reads the times of a GNU header. If they are none, and look like text, they are the ustar prefix that old Go
  /// programs wrote there; that is returned.
  private func gnuTimes(_ header: inout TarHeader) -> UnsafeRawBufferPointer {
    do throws(ArchiveError) {
      if bytes[345] != 0 { header.accessed = ArchiveTime(seconds: try number(345, 12)) }
      if bytes[357] != 0 { header.changed = ArchiveTime(seconds: try number(357, 12)) }
    } catch {
      header.accessed = nil
      header.changed = nil
      let prefix = text(345, 155)
      if prefix.allSatisfy({ $0 < 0x80 }) { return prefix }
    }
    return UnsafeRawBufferPointer(start: nil, count: 0)
  }
}
