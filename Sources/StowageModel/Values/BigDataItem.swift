// SPDX-License-Identifier: Apache-2.0

/// A big data item for a new object.
public struct BigDataItem: Sendable {
  /// The key.
  public var key: String
  /// The content.
  public var bytes: [UInt8]
  /// The digest to record (images only); `nil` stands for the SHA-256 of the bytes.
  public var digest: Digest?

  /// Names a content.
  public init(key: String, bytes: [UInt8], digest: Digest? = nil) {
    self.key = key
    self.bytes = bytes
    self.digest = digest
  }
}
