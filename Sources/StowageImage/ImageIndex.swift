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

  /// The instance for a platform (registries 4.5): the one whose variant fits best. Of equals in an OCI index, one that is
  /// compressed with zstd, then the first. What an OCI index lists without a platform comes last.
  ///
  /// - Throws: `invalidArchive` if there is none.
  package func instance(for platform: Platform) throws(StorageError) -> Descriptor {
    let isDocker = document.value["mediaType"]?.string == MediaType.dockerList
    var best: (rank: Int, descriptor: Descriptor)?
    for descriptor in manifests {
      guard let rank = descriptor.rank(for: platform, isDocker: isDocker) else { continue }
      if best.map({ rank < $0.rank }) ?? true { best = (rank, descriptor) }
    }
    if let best { return best.descriptor }
    let there = manifests.compactMap(\.platform).filter { !$0.isUnknown }.map(\.description).joined(separator: ", ")
    throw document.error(
      "no image for platform \(platform) in the index" + (there.isEmpty ? "" : ", which has those for \(there)"))
  }
}

extension Descriptor {
  /// Whether the entry of an index says that it is no image, but tells about one or is something else.
  package var isNoImage: Bool {
    annotations["vnd.docker.reference.type"] != nil || platform?.isUnknown == true || !artifactType.isEmpty
  }

  /// Its place among the entries of an index; nil if it does not fit.
  fileprivate func rank(for wanted: Platform, isDocker: Bool) -> Int? {
    if isNoImage { return nil }
    guard let platform else { return isDocker ? nil : .max }
    guard let rank = wanted.preference(for: platform) else { return nil }
    if isDocker { return rank }
    return rank * 2 + (annotations["io.github.containers.compression.zstd"] == "true" ? 0 : 1)
  }
}
