// SPDX-License-Identifier: Apache-2.0

package import StowageModel

/// What kind of manifest an image has.
package enum ManifestFamily: Sendable {
  /// Docker schema 2.
  case docker
  /// OCI.
  case oci

  /// The media type of the manifest.
  package var manifestType: String { self == .docker ? MediaType.dockerManifest : MediaType.ociManifest }
  /// The media type of the configuration.
  package var configType: String { self == .docker ? MediaType.dockerConfig : MediaType.ociConfig }

  /// The media type of a layer; nil if there is none for such a compression.
  package func layerType(_ compression: Compression) -> String? {
    switch (self, compression) {
    case (.docker, .none): MediaType.dockerPlainLayer
    case (.docker, .gzip): MediaType.dockerLayer
    case (.oci, .none): MediaType.ociLayer
    case (.oci, .gzip): MediaType.ociLayer + "+gzip"
    case (.oci, .zstd): MediaType.ociLayer + "+zstd"
    default: nil
    }
  }
}

extension ImageManifest {
  /// Which kind of manifest a document is: by its own media type, else by its configuration's.
  package static func family(of document: JSONDocument) -> ManifestFamily {
    switch document.value["mediaType"]?.string ?? "" {
    case MediaType.dockerManifest: .docker
    case MediaType.ociManifest: .oci
    default: document.value["config"]?["mediaType"]?.string == MediaType.dockerConfig ? .docker : .oci
    }
  }
}

/// A manifest for an image whose blobs are others than those that its own manifest tells of (registries 7.1).
package struct ManifestDraft: Sendable {
  /// A blob as it is written.
  package struct Blob: Sendable {
    package let mediaType: String
    package let digest: Digest
    package let size: Int64

    package init(mediaType: String, digest: Digest, size: Int64) {
      self.mediaType = mediaType
      self.digest = digest
      self.size = size
    }
  }

  /// Annotations that tell of the inside of a compressed layer, and go with it (chunked-and-composefs 1.6).
  private static let ofCompression: Set<String> = [
    "io.github.containers.zstd-chunked.manifest-checksum", "io.github.containers.zstd-chunked.manifest-position",
    "io.github.containers.zstd-chunked.tarsplit-position", "io.github.containers.zstd-chunked.tarsplit-checksum",
    "containerd.io/snapshot/stargz/toc.digest",
  ]

  private let original: JSONDocument
  private let family: ManifestFamily
  private let isConverted: Bool

  /// A manifest of a kind that takes over from an image's own what this kind can say: layers have annotations and URLs in OCI
  /// only, and what this program does not know stays if the kind does.
  package init(of original: JSONDocument, as family: ManifestFamily) {
    self.original = original
    self.family = family
    isConverted = ImageManifest.family(of: original) != family
  }

  /// The manifest's bytes: compact, members in the order of Podman and Skopeo.
  ///
  /// - Parameter layers: as many as the original has.
  package func bytes(config: Blob, layers: [Blob]) -> [UInt8] {
    var writer = JSONWriter(.recordFile)
    let value = original.value
    writer.beginObject()
    writer.name("schemaVersion")
    writer.integer(2)
    // An OCI manifest need not say what it is; that it does not is kept.
    if isConverted || value["mediaType"] != nil {
      writer.name("mediaType")
      writer.string(family.manifestType)
    }
    if !isConverted { writer.members(["artifactType"], of: value) }
    writer.name("config")
    write(config, value["config"], &writer)
    writer.name("layers")
    writer.beginArray()
    let described = value["layers"]?.array ?? []
    for (index, layer) in layers.enumerated() {
      write(layer, index < described.count ? described[index] : nil, &writer)
    }
    writer.endArray()
    if !isConverted {
      writer.members(["subject", "annotations"], of: value)
      writer.members(
        of: value,
        except: ["schemaVersion", "mediaType", "artifactType", "config", "layers", "subject", "annotations"])
    }
    writer.endObject()
    return writer.bytes
  }

  private func write(_ blob: Blob, _ original: JSONValue?, _ writer: inout JSONWriter) {
    writer.beginObject()
    writer.name("mediaType")
    writer.string(blob.mediaType)
    // The two kinds do not agree on the order.
    for key in family == .docker ? ["size", "digest"] : ["digest", "size"] {
      writer.name(key)
      if key == "size" { writer.integer(blob.size) } else { writer.string(blob.digest.description) }
    }
    if let original, !isConverted {
      writer.members(["urls"], of: original)
      if family == .oci, let annotations = original["annotations"]?.object {
        let kept = annotations.filter { !ManifestDraft.ofCompression.contains($0.name) }
        if !kept.isEmpty {
          writer.name("annotations")
          writer.verbatim(JSONValue.object(kept).sorted)
        }
      }
      writer.members(of: original, except: ["mediaType", "digest", "size", "urls", "annotations"])
    }
    writer.endObject()
  }
}

extension JSONWriter {
  /// Writes the members of these names that an object has, in this order.
  fileprivate mutating func members(_ names: [String], of object: JSONValue) {
    for name in names {
      guard let value = object[name], value != .null else { continue }
      self.name(name)
      verbatim(name == "annotations" ? value.sorted : value)
    }
  }

  /// Writes all members of an object but those of these names.
  fileprivate mutating func members(of object: JSONValue, except names: Set<String>) {
    for member in object.object ?? [] where !names.contains(member.name) {
      name(member.name)
      verbatim(member.value)
    }
  }

  /// Writes a value with the digits of its numbers and the order of its members.
  package mutating func verbatim(_ value: JSONValue) {
    switch value {
    case .null: null()
    case .bool(let flag): bool(flag)
    case .number(let text): raw(text.utf8)
    case .string(let text): string(text)
    case .array(let values):
      beginArray()
      for element in values { verbatim(element) }
      endArray()
    case .object(let members):
      beginObject()
      for member in members {
        name(member.name)
        verbatim(member.value)
      }
      endObject()
    }
  }
}
