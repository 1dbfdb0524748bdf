// SPDX-License-Identifier: Apache-2.0

package import StowageModel

/// A list of manifests: an OCI index or a Docker manifest list.
package struct ImageIndex: Sendable {
  /// The entries in order.
  package let manifests: [Descriptor]
  private let document: JSONDocument

  /// Reads an index.
  ///
  /// - Throws: `invalidArchive` if it is none.
  package init(_ document: JSONDocument) throws(StorageError) {
    guard let entries = try document.elements("manifests", of: document.value) else {
      throw document.error("no list of manifests")
    }
    var manifests: [Descriptor] = []
    for entry in entries { manifests.append(try Descriptor(entry, in: document)) }
    self.manifests = manifests
    self.document = document
  }

  /// Whether a document is an index: by its own or its descriptor's media type, else by its members.
  package static func matches(_ document: JSONDocument, mediaType: String) -> Bool {
    for type in [document.value["mediaType"]?.string ?? "", mediaType] {
      if type == MediaType.ociIndex || type == MediaType.dockerList { return true }
      if type == MediaType.ociManifest || type == MediaType.dockerManifest { return false }
    }
    return document.value["manifests"] != nil && document.value["layers"] == nil
  }

  /// The instance for a platform: the one whose variant fits best, the first of equals.
  ///
  /// - Throws: `invalidArchive` if there is none.
  package func instance(for platform: Platform) throws(StorageError) -> Descriptor {
    var best: (rank: Int, descriptor: Descriptor)?
    for descriptor in manifests {
      guard let other = descriptor.platform, let rank = platform.preference(for: other) else { continue }
      if rank < best?.rank ?? .max { best = (rank, descriptor) }
    }
    if let best { return best.descriptor }
    throw document.error("no image for platform \(platform) in the index")
  }
}
