// SPDX-License-Identifier: Apache-2.0

extension MountRecord: StoreRecord {
  /// In the order of writing.
  private enum Member: String, RecordMember {
    case id
    case path
    case count
  }

  private static let members = MemberTable<Member>()

  package static func decode(from reader: inout JSONReader) throws(RecordParseError) -> MountRecord? {
    try reader.expect(0x7B)
    var id: LayerID?
    var path = ""
    var count: Int64 = 0
    var cursor = MemberCursor(members)
    while true {
      switch try cursor.next(&reader) {
      case .known(.id): id = try reader.readID("layer ID")
      case .known(.path): path = try reader.readString()
      case .known(.count): count = try reader.readInt64()
      case .unknown: _ = try reader.skipValue()
      case .end:
        guard let id else {
          reader.problem = reader.problem ?? "the mount has no layer ID"
          return nil
        }
        return MountRecord(id: id, path: path, count: Int(count))
      }
    }
  }

  package func encode(into writer: inout JSONWriter) {
    writer.beginObject()
    writer.name("id")
    writer.string(id.rawValue)
    writer.name("path")
    writer.string(path)
    writer.name("count")
    writer.integer(count)
    writer.endObject()
  }
}
