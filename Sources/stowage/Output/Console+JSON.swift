// SPDX-License-Identifier: Apache-2.0
import StowageModel

/// A record as commands print it: without the members that this version does not know.
protocol PrintableRecord: StoreRecord {
  var unknownMembers: [UnknownMember] { get set }
}

extension LayerRecord: PrintableRecord {}
extension ImageRecord: PrintableRecord {}
extension ContainerRecord: PrintableRecord {}

/// JSON on standard output: compact, one value a line, in the reference's escapes (cli 10).
extension Console {
  /// How a command shows a list without elements; part of the interface, command by command.
  enum EmptyList {
    case null
    case emptyList
  }

  /// Prints what the closure writes, as one line.
  func printJSON(_ body: (inout JSONWriter) -> Void) {
    var writer = JSONWriter(.output)
    body(&writer)
    write(writer.bytes)
    write("\n")
  }

  /// Prints a value; members of objects are sorted by name.
  func printJSON(_ value: JSONValue) {
    printJSON { $0.value(value) }
  }

  func printJSON(record: some PrintableRecord) {
    printJSON { write(record, to: &$0) }
  }

  func printJSON(records: [some PrintableRecord], whenEmpty: EmptyList) {
    printJSON(list: records, whenEmpty: whenEmpty) { writer, record in write(record, to: &writer) }
  }

  func printJSON(strings: [String], whenEmpty: EmptyList) {
    printJSON(list: strings, whenEmpty: whenEmpty) { writer, text in writer.string(text) }
  }

  /// Prints a list whose elements the closure writes.
  func printJSON<Element>(
    list: [Element], whenEmpty: EmptyList, _ writeElement: (inout JSONWriter, Element) -> Void
  ) {
    printJSON { writer in
      if list.isEmpty, case .null = whenEmpty { return writer.null() }
      writer.beginArray()
      for element in list { writeElement(&writer, element) }
      writer.endArray()
    }
  }

  private func write(_ record: some PrintableRecord, to writer: inout JSONWriter) {
    var record = record
    record.unknownMembers = []
    record.encode(into: &writer)
  }
}

extension JSONWriter {
  /// Writes a list of strings.
  mutating func list(_ texts: [String]) {
    beginArray()
    for text in texts { string(text) }
    endArray()
  }
}
