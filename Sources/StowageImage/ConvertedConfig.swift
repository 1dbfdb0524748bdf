// SPDX-License-Identifier: Apache-2.0

package import StowageModel

/// Configurations of Docker images as those of OCI images: only what OCI knows, in its order (registries 7.1).
///
/// The bytes are those of Podman and Skopeo, so that all give the converted image the same identifier.
package enum ConvertedConfig {
  /// How a member is read.
  private enum Shape {
    case text, texts, flag
    /// An object whose values are objects without members.
    case set
    /// An object of texts.
    case table
  }

  private static let settings: [(String, Shape)] = [
    ("User", .text), ("ExposedPorts", .set), ("Env", .texts), ("Entrypoint", .texts), ("Cmd", .texts),
    ("Volumes", .set),
    ("WorkingDir", .text), ("Labels", .table), ("StopSignal", .text), ("ArgsEscaped", .flag),
  ]

  /// The OCI configuration for a Docker configuration.
  ///
  /// - Throws: `invalidArchive` if a member has another form than it should.
  package static func oci(from document: JSONDocument) throws(StorageError) -> [UInt8] {
    var writer = JSONWriter(.recordFile)
    let value = document.value
    writer.beginObject()
    try write(["created"], of: value, .time, document, &writer)
    try write(["author"], of: value, .member(.text), document, &writer)
    for key in ["architecture", "os"] {
      writer.name(key)
      writer.string(try document.text(key, of: value) ?? "")
    }
    try write(["os.version"], of: value, .member(.text), document, &writer)
    try write(["os.features"], of: value, .member(.texts), document, &writer)
    try write(["variant"], of: value, .member(.text), document, &writer)
    writer.name("config")
    writer.beginObject()
    let config = value["config"] ?? .null
    for (key, shape) in settings { try write([key], of: config, .member(shape), document, &writer) }
    writer.endObject()
    writer.name("rootfs")
    try writeRootFS(value["rootfs"] ?? .null, document, &writer)
    try writeHistory(try document.elements("history", of: value) ?? [], document, &writer)
    writer.endObject()
    return writer.bytes
  }

  private enum Kind {
    case time
    case member(Shape)
  }

  private static func writeRootFS(
    _ value: JSONValue, _ document: JSONDocument, _ writer: inout JSONWriter
  ) throws(StorageError) {
    writer.beginObject()
    writer.name("type")
    writer.string(try document.text("type", of: value) ?? "")
    writer.name("diff_ids")
    writer.texts(try document.texts("diff_ids", of: value) ?? [])
    writer.endObject()
  }

  private static func writeHistory(
    _ steps: [JSONValue], _ document: JSONDocument, _ writer: inout JSONWriter
  ) throws(StorageError) {
    guard !steps.isEmpty else { return }
    writer.name("history")
    writer.beginArray()
    for step in steps {
      writer.beginObject()
      try write(["created"], of: step, .time, document, &writer)
      try write(["created_by", "author", "comment"], of: step, .member(.text), document, &writer)
      try write(["empty_layer"], of: step, .member(.flag), document, &writer)
      writer.endObject()
    }
    writer.endArray()
  }

  /// Writes members that are there and not empty.
  private static func write(
    _ keys: [String], of object: JSONValue, _ kind: Kind, _ document: JSONDocument, _ writer: inout JSONWriter
  ) throws(StorageError) {
    for key in keys {
      guard let value = object[key], value != .null else { continue }
      switch kind {
      case .time:
        guard let text = value.string, let time = Timestamp(parsing: text) else {
          throw document.error("\(goQuoted(key)) is not a time")
        }
        writer.name(key)
        writer.time(time)
      case .member(.text):
        guard let text = try document.text(key, of: object), !text.isEmpty else { continue }
        writer.name(key)
        writer.string(text)
      case .member(.texts):
        guard let texts = try document.texts(key, of: object), !texts.isEmpty else { continue }
        writer.name(key)
        writer.texts(texts)
      case .member(.flag):
        guard let flag = value.bool else { throw document.error("\(goQuoted(key)) is neither true nor false") }
        guard flag else { continue }
        writer.name(key)
        writer.bool(flag)
      case .member(let shape): try writeObject(key, value, shape, document, &writer)
      }
    }
  }

  private static func writeObject(
    _ key: String, _ value: JSONValue, _ shape: Shape, _ document: JSONDocument, _ writer: inout JSONWriter
  ) throws(StorageError) {
    guard let members = value.object else { throw document.error("\(goQuoted(key)) is not an object") }
    guard !members.isEmpty else { return }
    var table = KeyedValues<String>()
    for member in members {
      if case .table = shape {
        guard let text = member.value.string else { throw document.error("\(goQuoted(key)) holds no texts") }
        table[member.name] = text
      } else {
        table[member.name] = ""
      }
    }
    writer.name(key)
    writer.table(table) { (writer: inout JSONWriter, text) in
      if case .table = shape { return writer.string(text) }
      writer.beginObject()
      writer.endObject()
    }
  }
}

extension JSONWriter {
  fileprivate mutating func texts(_ texts: [String]) {
    beginArray()
    for text in texts { string(text) }
    endArray()
  }
}
