// SPDX-License-Identifier: Apache-2.0

/// Flags of a record: any JSON by key.
public typealias RecordFlags = KeyedValues<JSONValue>

/// A member of a record that this version does not know, with its value's bytes as read.
public struct UnknownMember: Hashable, Sendable {
  /// The name.
  public let name: String
  /// The value's JSON text.
  public let rawValue: [UInt8]
}

/// A record of one of the four kinds of record files.
package protocol StoreRecord: Sendable {
  /// Reads one record; the reader stands before its `{`.
  ///
  /// - Throws: ``RecordParseError`` for malformed JSON, wrong types and numbers that do not fit.
  /// - Returns: nil, with the reader's `problem` set, if an identifier cannot be used safely.
  static func decode(from reader: inout JSONReader) throws(RecordParseError) -> Self?

  /// Writes the record as the reference does: member order, omissions and number forms of on-disk-format 4.
  func encode(into writer: inout JSONWriter)
}
