// SPDX-License-Identifier: Apache-2.0

package import StowageModel

internal import struct Crypto.SHA256

/// A running sha256.
///
/// Not for two threads at once.
package struct SHA256Hasher: Sendable {
  private var state = SHA256()

  /// Starts with no bytes.
  package init() {}

  /// Adds bytes.
  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    if bytes.isEmpty { return }
    state.update(bufferPointer: bytes)
  }

  /// Adds bytes.
  package mutating func update(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { update($0) }
  }

  /// The digest of the bytes so far; more may follow.
  package func finish() -> StowageModel.Digest { StowageModel.Digest(sha256: state.finalize()) }
}

/// The sha256 of some bytes.
package func sha256(of bytes: [UInt8]) -> StowageModel.Digest {
  var hasher = SHA256Hasher()
  hasher.update(bytes)
  return hasher.finish()
}
