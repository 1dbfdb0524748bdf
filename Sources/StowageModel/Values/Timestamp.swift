// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A point in time with nanoseconds and the zone offset it was written with.
///
/// `description` is the form of the record files: RFC 3339, up to 9 fractional digits without trailing zeros, offset kept
/// (`Z` for none). Source: on-disk-format 4.1.
public struct Timestamp: Hashable, Sendable, Comparable, CustomStringConvertible {
  /// Seconds since 1970-01-01T00:00:00Z, leap seconds not counted; negative before.
  public let seconds: Int64
  /// 0 to 999 999 999, counted forward from `seconds`.
  public let nanoseconds: Int32
  /// Minutes east of UTC of the text this was read from; 0 for UTC.
  public let offsetMinutes: Int16

  /// Makes a time.
  public init(seconds: Int64, nanoseconds: Int32 = 0, offsetMinutes: Int16 = 0) {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
    self.offsetMinutes = offsetMinutes
  }

  /// The present, in UTC.
  public static func now() -> Timestamp {
    var value = timespec()
    clock_gettime(CLOCK_REALTIME, &value)
    return Timestamp(seconds: Int64(value.tv_sec), nanoseconds: Int32(truncatingIfNeeded: value.tv_nsec))
  }

  /// A time that was never set: `0001-01-01T00:00:00Z`.
  public static let unset = Timestamp(seconds: -62_135_596_800)

  /// Orders by instant; equal instants by offset.
  public static func < (a: Timestamp, b: Timestamp) -> Bool {
    (a.seconds, a.nanoseconds, a.offsetMinutes) < (b.seconds, b.nanoseconds, b.offsetMinutes)
  }
}
