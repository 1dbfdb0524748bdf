// SPDX-License-Identifier: Apache-2.0

extension ContainerRecord: StoreRecord {
  /// In the order of writing.
  private enum Member: String, RecordMember {
    case id
    case names
    case image
    case layer
    case metadata
    case bigDataNames = "big-data-names"
    case bigDataSizes = "big-data-sizes"
    case bigDataDigests = "big-data-digests"
    case created
    case uidMap = "uidmap"
    case gidMap = "gidmap"
    case flags
  }

  private static let members = MemberTable<Member>()

  package static func decode(from reader: inout JSONReader) throws(RecordParseError) -> ContainerRecord? {
    try reader.expect(0x7B)
    var id: ContainerID?
    var layer: LayerID?
    var record = ContainerRecord(id: .placeholder, layer: .placeholder, created: .unset)
    var cursor = MemberCursor(members)
    while true {
      switch try cursor.next(&reader) {
      case .known(let member): try record.read(member, &id, &layer, from: &reader)
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

  private mutating func read(
    _ member: Member, _ id: inout ContainerID?, _ layer: inout LayerID?, from reader: inout JSONReader
  ) throws(RecordParseError) {
    switch member {
    case .id: id = try reader.readID("container ID")
    case .names: names = try reader.readStrings()
    case .image: image = try reader.readOptionalID("image ID")
    case .layer: layer = try reader.readID("layer ID")
    case .metadata: metadata = try reader.readString()
    case .bigDataNames: bigDataNames = try reader.readStrings()
    case .bigDataSizes: bigDataSizes = try reader.readSizes()
    case .bigDataDigests: bigDataDigests = try reader.readDigests()
    case .created: created = try reader.readTime()
    case .uidMap: idMaps.uids = try reader.readMappings()
    case .gidMap: idMaps.gids = try reader.readMappings()
    case .flags: flags = try reader.readFlags()
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
