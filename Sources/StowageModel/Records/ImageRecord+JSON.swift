// SPDX-License-Identifier: Apache-2.0

extension ImageRecord: StoreRecord {
  private static let members = MemberTable([
    "id", "digest", "names", "names-history", "layer", "mapped-layers", "metadata", "big-data-names",
    "big-data-sizes", "big-data-digests", "created", "flags",
  ])

  package static func decode(from reader: inout JSONReader) throws(RecordParseError) -> ImageRecord? {
    try reader.expect(0x7B)
    var id: ImageID?
    var record = ImageRecord(id: .placeholder, created: .unset)
    var cursor = MemberCursor(members)
    while true {
      switch try cursor.next(&reader) {
      case .known(0): id = try reader.readID("image ID")
      case .known(let index): try record.read(index, from: &reader)
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

  private mutating func read(_ index: Int, from reader: inout JSONReader) throws(RecordParseError) {
    switch index {
    case 1: digest = try reader.readDigest()
    case 2: names = try reader.readStrings()
    case 3: namesHistory = try reader.readStrings()
    case 4: layer = try reader.readOptionalID("layer ID")
    case 5: mappedLayers = try ImageRecord.readLayers(&reader)
    case 6: metadata = try reader.readString()
    case 7: bigDataNames = try reader.readStrings()
    case 8: bigDataSizes = try reader.readSizes()
    case 9: bigDataDigests = try reader.readDigests()
    case 10: created = try reader.readTime()
    case 11: flags = try reader.readFlags()
    default: _ = try reader.skipValue()
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
