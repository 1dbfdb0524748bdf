// SPDX-License-Identifier: Apache-2.0

extension LayerRecord: StoreRecord {
  private static let members = MemberTable([
    "id", "names", "parent", "metadata", "mountlabel", "created", "compressed-diff-digest", "compressed-size",
    "diff-digest", "toc-digest", "diff-size", "compression", "uidset", "gidset", "flags", "uidmap", "gidmap",
    "big-data-names",
  ])

  package static func decode(from reader: inout JSONReader) throws(RecordParseError) -> LayerRecord? {
    try reader.expect(0x7B)
    var id: LayerID?
    var record = LayerRecord(id: .placeholder, created: .unset)
    var cursor = MemberCursor(members)
    while true {
      switch try cursor.next(&reader) {
      case .known(0): id = try reader.readID("layer ID")
      case .known(2): record.parent = try reader.readOptionalID("parent layer ID")
      case .known(let index): try record.read(index, from: &reader)
      case .unknown(let name): try reader.readUnknown(name, into: &record.unknownMembers)
      case .end:
        guard let id, reader.problem == nil else {
          reader.problem = reader.problem ?? "the layer has no ID"
          return nil
        }
        record.id = id
        return record
      }
    }
  }

  private mutating func read(_ index: Int, from reader: inout JSONReader) throws(RecordParseError) {
    switch index {
    case 1: names = try reader.readStrings()
    case 3: metadata = try reader.readString()
    case 4: mountLabel = try reader.readString()
    case 5: created = try reader.readTime()
    case 6: compressedDiffDigest = try reader.readDigest()
    case 7: compressedSize = try reader.readInt64()
    case 8: diffDigest = try reader.readDigest()
    case 9: tocDigest = try reader.readDigest()
    case 10: diffSize = try reader.readInt64()
    case 11: compressionCode = Int(try reader.readInt64())
    case 12: uidSet = try reader.readIDs32()
    case 13: gidSet = try reader.readIDs32()
    case 14: flags = try reader.readFlags()
    case 15: idMaps.uids = try reader.readMappings()
    case 16: idMaps.gids = try reader.readMappings()
    case 17: bigDataNames = try reader.readStrings()
    default: _ = try reader.skipValue()
    }
  }

  package func encode(into writer: inout JSONWriter) {
    writer.beginObject()
    writer.name("id")
    writer.string(id.rawValue)
    writer.optional("names", names)
    writer.optional("parent", parent?.rawValue ?? "")
    writer.optional("metadata", metadata)
    writer.optional("mountlabel", mountLabel)
    writer.name("created")
    writer.time(created)
    writer.optional("compressed-diff-digest", compressedDiffDigest?.description ?? "")
    writer.optional("compressed-size", compressedSize)
    writer.optional("diff-digest", diffDigest?.description ?? "")
    writer.optional("toc-digest", tocDigest?.description ?? "")
    writer.optional("diff-size", diffSize)
    writer.optional("compression", Int64(compressionCode))
    writer.optional("uidset", uidSet)
    writer.optional("gidset", gidSet)
    writer.flags(flags)
    writer.optional("uidmap", idMaps.uids)
    writer.optional("gidmap", idMaps.gids)
    writer.optional("big-data-names", bigDataNames)
    writer.unknown(unknownMembers)
    writer.endObject()
  }
}
