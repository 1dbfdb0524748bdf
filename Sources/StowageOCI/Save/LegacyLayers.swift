// SPDX-License-Identifier: Apache-2.0

import StowageDigest
import StowageImage
import StowageModel

/// What Docker before version 1.10 wants to find of an image's layers: one image for each, with an identifier and a description
/// (registries 7.5). Nobody reads it any more; archives have it, and have to be equal to the last byte.
struct LegacyLayers {
  /// A layer as it once was an image.
  struct Layer {
    let id: String
    /// The file `json`.
    let json: [UInt8]
  }

  /// Members of the configuration that describe the top layer.
  private static let ofTop = [
    "architecture", "config", "container", "container_config", "created", "docker_version", "os",
  ]

  /// Base layer first.
  let layers: [Layer]

  /// - Throws: `corrupt` for a configuration that is no object.
  init(_ config: JSONDocument, diffIDs: [Digest]) throws(StorageError) {
    let members: KeyedValues<[UInt8]>
    do throws(RecordParseError) { members = try CompactJSON.members(of: config.bytes) } catch {
      throw StorageError(.corrupt, "\(config.name): \(error)", cause: error)
    }
    var layers: [Layer] = []
    var chain: Digest?
    for (index, diffID) in diffIDs.enumerated() {
      let next = chain.map { sha256(of: Array("\($0) \(diffID)".utf8)) } ?? diffID
      chain = next
      var object = KeyedValues<[UInt8]>()
      if let parent = layers.last { object["parent"] = LegacyLayers.quoted(parent.id) }
      if index == diffIDs.count - 1 {
        for key in LegacyLayers.ofTop { object[key] = members[key] ?? Array("null".utf8) }
      }
      var identity = object
      identity["layer_id"] = LegacyLayers.quoted(next.description)
      let id = sha256(of: LegacyLayers.json(identity)).hex
      object["id"] = LegacyLayers.quoted(id)
      layers.append(Layer(id: id, json: LegacyLayers.json(object)))
    }
    self.layers = layers
  }

  private static func quoted(_ text: String) -> [UInt8] { Array("\"\(text)\"".utf8) }

  private static func json(_ object: KeyedValues<[UInt8]>) -> [UInt8] {
    var writer = JSONWriter(.recordFile)
    writer.table(object) { (writer: inout JSONWriter, value) in writer.raw(value) }
    return writer.bytes
  }
}
