// SPDX-License-Identifier: Apache-2.0

package import StowageModel

/// The manifest of one image, OCI or Docker schema 2.
package struct ImageManifest: Sendable {
  /// The configuration's blob.
  package let config: Descriptor
  /// The layers' blobs, base layer first.
  package let layers: [Descriptor]

  /// Reads a manifest.
  ///
  /// - Throws: `invalidArchive` if it is none; `notSupported` for schema 1, for artifacts (their configuration is not an
  ///   image's) and for encrypted layers.
  package init(_ document: JSONDocument) throws(StorageError) {
    let value = document.value
    guard value.object != nil else { throw document.error("not an image manifest") }
    if value["schemaVersion"]?.integer == 1 || value["fsLayers"] != nil {
      throw document.error("manifest schema 1 is not supported", .notSupported)
    }
    guard let config = value["config"] else { throw document.error("the manifest has no config") }
    self.config = try Descriptor(config, in: document)
    switch self.config.mediaType {
    case "", MediaType.ociConfig, MediaType.dockerConfig: break
    default:
      throw document.error(
        "not an image but an artifact: its config is \(goQuoted(self.config.mediaType))", .notSupported)
    }
    var layers: [Descriptor] = []
    for layer in try document.elements("layers", of: value) ?? [] {
      let descriptor = try Descriptor(layer, in: document)
      guard !descriptor.mediaType.hasSuffix("+encrypted") else {
        throw document.error("layer \(descriptor.digest) is encrypted", .notSupported)
      }
      layers.append(descriptor)
    }
    self.layers = layers
  }

  /// The manifest that a docker-archive stands for: byte for byte what Podman's archive reader makes, so that both leave
  /// the same digest (chunked-and-composefs 5.4).
  ///
  /// - Parameters:
  ///   - configSize: Bytes of the configuration.
  ///   - configDigest: Its digest.
  ///   - layers: diffID and uncompressed size of each layer, base layer first.
  package static func synthesized(configSize: Int, configDigest: Digest, layers: [(diffID: Digest, size: Int64)])
    -> [UInt8]
  {
    var text = #"{"schemaVersion":2,"mediaType":"\#(MediaType.dockerManifest)","config":"#
    text += #"{"mediaType":"\#(MediaType.dockerConfig)","size":\#(configSize),"digest":"\#(configDigest)"},"layers":["#
    text += layers.map {
      #"{"mediaType":"\#(MediaType.dockerLayer)","size":\#($0.size),"digest":"\#($0.diffID)"}"#
    }.joined(separator: ",")
    return Array((text + "]}").utf8)
  }
}
