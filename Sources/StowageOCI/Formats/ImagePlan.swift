// SPDX-License-Identifier: Apache-2.0

import StowageImage
import StowageModel

/// One image of an archive, checked as far as that is possible without reading its layers.
struct ImagePlan: Sendable {
  /// One layer, ready to be extracted.
  struct Layer: Sendable {
    /// The stored bytes, compressed or not.
    let blob: Blob
    /// The digest of the blob as it will be recorded; of a docker-archive's layer the diffID.
    let digest: Digest
    /// The digest of the uncompressed bytes; nil if the configuration does not tell.
    let diffID: Digest?
    /// Whether the stored bytes are uncompressed on the way, so that the store sees (and records) only uncompressed ones.
    let isUncompressedFirst: Bool
  }

  /// The configuration's bytes.
  let config: [UInt8]
  /// Its digest; the hex is the image ID.
  let configDigest: Digest
  /// The indexes on the way to the manifest, outermost first: digest and bytes.
  var indexes: [(digest: Digest, bytes: [UInt8])] = []
  /// The manifest's bytes.
  let manifest: [UInt8]
  /// Its digest, which is the image's.
  let manifestDigest: Digest
  /// Base layer first.
  let layers: [Layer]
  /// The layer that the first one stands on, if it is not the base: one that is in the store.
  var base: LayerID? = nil
  /// When the image was made.
  let created: Timestamp?
  /// What it runs on, as far as its configuration says.
  let platform: Platform
  /// Normalised names in the order of the archive.
  var names: [String]
  /// Signatures of a `dir:` image, as stored.
  var signatures: [[UInt8]] = []
}
