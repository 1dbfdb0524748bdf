// SPDX-License-Identifier: Apache-2.0

package import StowageModel

/// What a manifest or index says about a blob: type, digest and size.
package struct Descriptor: Hashable, Sendable {
  /// The media type; empty if none is given.
  package let mediaType: String
  /// The digest of the blob's bytes.
  package let digest: Digest
  /// The number of bytes, not negative.
  package let size: Int64
  /// Texts of `annotations`.
  package let annotations: [String: String]
  /// What kind of artifact it is; empty for images.
  package let artifactType: String
  /// The platform of an entry of an index.
  package let platform: Platform?

  /// Reads a descriptor.
  ///
  /// - Throws: `invalidArchive` if digest or size are missing or make no sense; `notSupported` for a digest algorithm
  ///   other than SHA-256.
  package init(_ value: JSONValue, in document: JSONDocument) throws(StorageError) {
    guard value.object != nil else { throw document.error("a descriptor is not an object") }
    mediaType = try document.text("mediaType", of: value) ?? ""
    guard let text = try document.text("digest", of: value) else { throw document.error("a descriptor has no digest") }
    digest = try document.digest(text)
    guard let size = value["size"]?.integer, size >= 0 else {
      throw document.error("the descriptor of \(digest) has no size")
    }
    self.size = size
    artifactType = value["artifactType"]?.string ?? ""
    var annotations: [String: String] = [:]
    for member in value["annotations"]?.object ?? [] {
      annotations[member.name] = member.value.string
    }
    self.annotations = annotations
    platform = value["platform"].flatMap(Platform.init)
  }
}

/// The media types that are told apart, and written.
package enum MediaType {
  package static let dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
  package static let dockerConfig = "application/vnd.docker.container.image.v1+json"
  package static let dockerLayer = "application/vnd.docker.image.rootfs.diff.tar.gzip"
  package static let dockerPlainLayer = "application/vnd.docker.image.rootfs.diff.tar"
  package static let dockerList = "application/vnd.docker.distribution.manifest.list.v2+json"
  package static let ociManifest = "application/vnd.oci.image.manifest.v1+json"
  package static let ociIndex = "application/vnd.oci.image.index.v1+json"
  package static let ociConfig = "application/vnd.oci.image.config.v1+json"
  package static let ociLayer = "application/vnd.oci.image.layer.v1.tar"
}
