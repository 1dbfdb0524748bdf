// SPDX-License-Identifier: Apache-2.0

extension ContainerRecord: StoreRecord {
  private static let members = MemberTable([
    "id", "names", "image", "layer", "metadata", "big-data-names", "big-data-sizes", "big-data-digests", "created",
    "uidmap", "gidmap", "flags",
  ])

  package static func decode(from reader: inout JSONReader) throws(RecordParseError) -> ContainerRecord? {
    try reader.expect(0x7B)
    var id: ContainerID?
    var layer: LayerID?
    var record = ContainerRecord(id: .placeholder, layer: .placeholder, created: .unset)
    var cursor = MemberCursor(members)
    while true {
      switch try cursor.next(&reader) {
      case .known(0): id = try reader.readID("container ID")
      case .known(3): layer = try reader.readID("layer ID")
      case .known(let index): try record.read(index, from: &reader)
      case .unknown(let name): try reader.readUnknown(name, into: &record.unknownMembers)
      case .end:
        guard let id, let layer, reader.problem == nil else {
          reader.problem = reader.problem ?? "the container has no \(id == nil ? "ID" : "layer")"
          return nil
        }
        record.id = id
        record.layer = layer
        return record
      }
    }
  }

  private mutating func read(_ index: Int, from reader: inout JSONReader) throws(RecordParseError) {
    switch index {
    case 1: names = try reader.readStrings()
    case 2: image = try reader.readOptionalID("image ID")
    case 4: metadata = try reader.readString()
    case 5: bigDataNames = try reader.readStrings()
    case 6: bigDataSizes = try reader.readSizes()
    case 7: bigDataDigests = try reader.readDigests()
    case 8: created = try reader.readTime()
    case 9: idMaps.uids = try reader.readMappings()
    case 10: idMaps.gids = try reader.readMappings()
    case 11: flags = try reader.readFlags()
    default: _ = try reader.skipValue()
    }
  }

  package func encode(into writer: inout JSONWriter) {
    writer.beginObject()
    writer.name("id")
    writer.string(id.rawValue)
    writer.optional("names", names)
    writer.name("image")
    writer.string(image?.rawValue ?? "")
    writer.name("layer")
    writer.string(layer.rawValue)
    writer.optional("metadata", metadata)
    writer.bigData(bigDataNames, bigDataSizes, bigDataDigests)
    writer.name("created")
    writer.time(created)
    writer.optional("uidmap", idMaps.uids)
    writer.optional("gidmap", idMaps.gids)
    writer.flags(flags)
    writer.unknown(unknownMembers)
    writer.endObject()
  }
}
