// SPDX-License-Identifier: Apache-2.0

package import StowageModel

/// One JSON document of an archive: its bytes, its value, and its name for messages.
///
/// Documents come from strangers. They are limited in size by whoever reads them and in depth by the parser.
package struct JSONDocument: Sendable {
  /// The member or file it was read from.
  package let name: String
  /// The bytes as stored.
  package let bytes: [UInt8]
  /// The value; always an object or array.
  package let value: JSONValue

  /// Parses a document.
  ///
  /// - Throws: `invalidArchive` if it is no JSON object or array.
  package init(name: String, bytes: [UInt8]) throws(StorageError) {
    self.name = name
    self.bytes = bytes
    do throws(RecordParseError) {
      value = try JSONDocument.parse(bytes)
    } catch {
      throw StorageError(.invalidArchive, "\(name): \(error)", cause: error)
    }
    guard value.object != nil || value.array != nil else {
      throw StorageError(.invalidArchive, "\(name): neither a JSON object nor an array")
    }
  }

  /// Parses one JSON value with nothing but white space around it.
  package static func parse(_ bytes: [UInt8]) throws(RecordParseError) -> JSONValue {
    let result = bytes.withUnsafeBufferPointer { buffer -> Result<JSONValue, RecordParseError> in
      var reader = JSONReader(buffer)
      do throws(RecordParseError) {
        let value = try reader.readValue()
        guard reader.isAtEnd() else { throw reader.failure("the end of the document") }
        return .success(value)
      } catch {
        return .failure(error)
      }
    }
    return try result.get()
  }

  /// An error about this document.
  package func error(_ reason: String, _ code: StorageError.Code = .invalidArchive) -> StorageError {
    StorageError(code, "\(name): \(reason)")
  }

  /// The text of a member of an object of this document; nil if it is absent or null.
  package func text(_ key: String, of object: JSONValue) throws(StorageError) -> String? {
    guard let member = object[key], member != .null else { return nil }
    guard let text = member.string else { throw error("\(goQuoted(key)) is not a string") }
    return text
  }

  /// The elements of an array member; nil if it is absent or null.
  package func elements(_ key: String, of object: JSONValue) throws(StorageError) -> [JSONValue]? {
    guard let member = object[key], member != .null else { return nil }
    guard let array = member.array else { throw error("\(goQuoted(key)) is not an array") }
    return array
  }

  /// An array of texts; nil if it is absent or null.
  package func texts(_ key: String, of object: JSONValue) throws(StorageError) -> [String]? {
    guard let array = try elements(key, of: object) else { return nil }
    var texts: [String] = []
    for element in array {
      guard let text = element.string else { throw error("\(goQuoted(key)) holds something that is not a string") }
      texts.append(text)
    }
    return texts
  }

  /// A digest that the loader can verify.
  package func digest(_ text: String) throws(StorageError) -> Digest {
    let digest: Digest
    do throws(DigestError) {
      digest = try Digest(parsing: text)
    } catch {
      throw self.error("\(goQuoted(text)): \(error)")
    }
    guard digest.algorithm == "sha256" else {
      throw self.error("digest algorithm \(goQuoted(digest.algorithm)) is not supported", .notSupported)
    }
    return digest
  }
}
