// SPDX-License-Identifier: Apache-2.0

internal import StowageDigest
package import StowageModel

/// The layer identifiers that all tools on containers/storage agree on (chunked-and-composefs 5.1).
package enum LayerIdentity {
  /// The identifier of a layer: the diffID's hex for a base layer, else the SHA-256 of `parent+hex`. Not the OCI chainID.
  package static func layerID(diffID: Digest, over parent: LayerID?) throws(StorageError) -> LayerID {
    guard let parent else { return try LayerID(validating: diffID.hex) }
    return try LayerID(validating: sha256(of: Array("\(parent.rawValue)+\(diffID.hex)".utf8)).hex)
  }
}
