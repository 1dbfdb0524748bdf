// SPDX-License-Identifier: Apache-2.0

extension ImageRecord: StoreRecord {
  /// In the order of writing.
  private enum Member: String, RecordMember {
    case id
    case digest
    case names
    case namesHistory = "names-history"
    case layer
    case mappedLayers = "mapped-layers"
    case metadata
    case bigDataNames = "big-data-names"
    case bigDataSizes = "big-data-sizes"
    case bigDataDigests = "big-data-digests"
    case created
    case flags
  }

  private static let members = MemberTable<Member>()

  package static func decode(from reader: inout JSONReader) throws(RecordParseError) -> ImageRecord? {
    try reader.expect(0x7B)
    var id: ImageID?
    var record = ImageRecord(id: .placeholder, created: .unset)
    var cursor = MemberCursor(members)
    while true {
      switch try cursor.next(&reader) {
      case .known(let member): try record.read(member, &id, from: &reader)
      case .unknown(let name): try reader.readUnknown(name, into: &record.unknownMembers)
      case .end:
        guard let id, reader.problem == nil else {
          reader.problem = reader.problem ?? "the image has no ID"
          return nil
        }
        record.id = id
        return record
      }
    }
  }

  private mutating func read(
    _ member: Member, _ id: inout ImageID?, from reader: inout JSONReader
  ) throws(RecordParseError) {
    switch member {
    case .id: id = try reader.readID("image ID")
    case .digest: digest = try reader.readDigest()
    case .names: names = try reader.readStrings()
    case .namesHistory: namesHistory = try reader.readStrings()
    case .layer: layer = try reader.readOptionalID("layer ID")
    case .mappedLayers: mappedLayers = try ImageRecord.readLayers(&reader)
    case .metadata: metadata = try reader.readString()
    case .bigDataNames: bigDataNames = try reader.readStrings()
    case .bigDataSizes: bigDataSizes = try reader.readSizes()
    case .bigDataDigests: bigDataDigests = try reader.readDigests()
    case .created: created = try reader.readTime()
    case .flags: flags = try reader.readFlags()
    }
  }

  private static func readLayers(_ reader: inout JSONReader) throws(RecordParseError) -> [LayerID] {
    var out: [LayerID] = []
    try reader.forEachElement { (reader) throws(RecordParseError) in
      if let id: LayerID = try reader.readID("mapped layer ID") { out.append(id) }
    }
    return out
  }

  package func encode(into writer: inout JSONWriter) {
    writer.beginObject()
    writer.name("id")
    writer.string(id.rawValue)
    writer.optional("digest", digest?.description ?? "")
    writer.optional("names", names)
    writer.optional("names-history", namesHistory)
    writer.optional("layer", layer?.rawValue ?? "")
    writer.optional("mapped-layers", mappedLayers.map(\.rawValue))
    writer.optional("metadata", metadata)
    writer.bigData(bigDataNames, bigDataSizes, bigDataDigests)
    writer.name("created")
    writer.time(created)
    writer.flags(flags)
    writer.unknown(unknownMembers)
    writer.endObject()
  }
}
