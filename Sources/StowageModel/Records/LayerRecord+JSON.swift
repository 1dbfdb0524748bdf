// SPDX-License-Identifier: Apache-2.0

extension LayerRecord: StoreRecord {
  /// In the order of writing.
  private enum Member: String, RecordMember {
    case id
    case names
    case parent
    case metadata
    case mountLabel = "mountlabel"
    case created
    case compressedDiffDigest = "compressed-diff-digest"
    case compressedSize = "compressed-size"
    case diffDigest = "diff-digest"
    case tocDigest = "toc-digest"
    case diffSize = "diff-size"
    case compression
    case uidSet = "uidset"
    case gidSet = "gidset"
    case flags
    case uidMap = "uidmap"
    case gidMap = "gidmap"
    case bigDataNames = "big-data-names"
  }

  private static let members = MemberTable<Member>()

  package static func decode(from reader: inout JSONReader) throws(RecordParseError) -> LayerRecord? {
    try reader.expect(0x7B)
    var id: LayerID?
    var record = LayerRecord(id: .placeholder, created: .unset)
    var cursor = MemberCursor(members)
    while true {
      switch try cursor.next(&reader) {
      case .known(let member): try record.read(member, &id, from: &reader)
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

  private mutating func read(
    _ member: Member, _ id: inout LayerID?, from reader: inout JSONReader
  ) throws(RecordParseError) {
    switch member {
    case .id: id = try reader.readID("layer ID")
    case .names: names = try reader.readStrings()
    case .parent: parent = try reader.readOptionalID("parent layer ID")
    case .metadata: metadata = try reader.readString()
    case .mountLabel: mountLabel = try reader.readString()
    case .created: created = try reader.readTime()
    case .compressedDiffDigest: compressedDiffDigest = try reader.readDigest()
    case .compressedSize: compressedSize = try reader.readInt64()
    case .diffDigest: diffDigest = try reader.readDigest()
    case .tocDigest: tocDigest = try reader.readDigest()
    case .diffSize: diffSize = try reader.readInt64()
    case .compression: compressionCode = Int(try reader.readInt64())
    case .uidSet: uidSet = try reader.readIDs32()
    case .gidSet: gidSet = try reader.readIDs32()
    case .flags: flags = try reader.readFlags()
    case .uidMap: idMaps.uids = try reader.readMappings()
    case .gidMap: idMaps.gids = try reader.readMappings()
    case .bigDataNames: bigDataNames = try reader.readStrings()
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
