// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// How much more may be unpacked; shared by all who unpack parts of one thing, on any threads.
public final class SizeLimit: Sendable {
  /// The number of bytes that were allowed at the beginning.
  public let bytes: Int64
  private let taken = Atomic<Int64>(0)

  /// Allows so many bytes.
  public init(bytes: Int64) { self.bytes = max(0, bytes) }

  /// Counts bytes that were unpacked.
  ///
  /// - Throws: `invalidArchive` once there are more than allowed.
  package func take(_ count: Int64) throws(StorageError) {
    let sum = taken.wrappingAdd(max(0, count), ordering: .relaxed).newValue
    // A sum that wraps around was far above the limit before.
    guard sum < 0 || sum > bytes else { return }
    throw StorageError(.invalidArchive, "unpacked, there are more than the \(bytes) bytes that are allowed")
  }
}
