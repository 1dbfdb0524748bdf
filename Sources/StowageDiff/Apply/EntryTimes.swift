// SPDX-License-Identifier: Apache-2.0

internal import StowageArchive
internal import StowageSystem

/// The times an entry gets (archive-and-diff 4.5).
enum EntryTimes {
  /// The last moment 64 bits of nanoseconds can hold, 2262-04-11T23:47:16.854775807Z.
  private static let latest = FileTime(seconds: 9_223_372_036, nanoseconds: 854_775_807)

  /// The time, or the epoch if it is before 1970 or after 2262.
  static func clamped(_ time: ArchiveTime) -> FileTime { clamped(FileTime(raw: time)) }

  /// The same; nil stays nil.
  static func clamped(_ time: ArchiveTime?) -> FileTime? { time.map { clamped($0) } }

  /// The time, or the epoch if it is before 1970 or after 2262.
  static func clamped(_ time: FileTime) -> FileTime { time < .epoch || time > latest ? .epoch : time }

  /// The time of access of a new object: that of the header unless it is before the modification.
  static func access(_ header: TarHeader) -> ArchiveTime {
    guard let accessed = header.accessed, accessed >= header.modified else { return header.modified }
    return accessed
  }
}

extension FileTime {
  /// The same moment.
  init(raw time: ArchiveTime) { self.init(seconds: time.seconds, nanoseconds: time.nanoseconds) }
}
