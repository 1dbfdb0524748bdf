// SPDX-License-Identifier: Apache-2.0

internal import CCrypto
package import StowageModel

/// A running sha256: a value, whose copies go on independently of each other.
///
/// Not for two threads at once.
package struct SHA256Hasher: Sendable {
  private var state = SHA256_CTX()

  /// Starts with no bytes.
  package init() { SHA256_Init(&state) }

  /// Adds bytes.
  package mutating func update(_ bytes: UnsafeRawBufferPointer) {
    if bytes.isEmpty { return }
    SHA256_Update(&state, bytes.baseAddress, bytes.count)
  }

  /// Adds bytes.
  package mutating func update(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { update($0) }
  }

  /// The digest of the bytes so far; more may follow.
  package func finish() -> StowageModel.Digest {
    var copy = state
    return StowageModel.Digest(
      sha256: [UInt8](unsafeUninitializedCapacity: Int(SHA256_DIGEST_LENGTH)) { bytes, count in
        SHA256_Final(bytes.baseAddress, &copy)
        count = Int(SHA256_DIGEST_LENGTH)
      })
  }
}

/// The sha256 of some bytes.
package func sha256(of bytes: [UInt8]) -> StowageModel.Digest {
  var hasher = SHA256Hasher()
  hasher.update(bytes)
  return hasher.finish()
}
