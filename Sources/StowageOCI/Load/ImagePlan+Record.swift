// SPDX-License-Identifier: Apache-2.0

import StowageDigest
import StowageImage
import StowageModel
import StowageStore

extension ImagePlan {
  /// The identifier the image has in every store.
  var imageID: ImageID {
    get throws(StorageError) { try ImageID(validating: configDigest.hex) }
  }

  /// The items of the image's record, in the order in which other tools write them (chunked-and-composefs 5.5).
  var bigData: [BigDataItem] {
    var items = [BigDataItem(key: configDigest.description, bytes: config, digest: configDigest)]
    for index in indexes {
      items.append(BigDataItem(key: "manifest-\(index.digest)", bytes: index.bytes, digest: index.digest))
    }
    items.append(BigDataItem(key: "manifest-\(manifestDigest)", bytes: manifest, digest: manifestDigest))
    items.append(BigDataItem(key: "manifest", bytes: manifest, digest: manifestDigest))
    if !signatures.isEmpty {
      let joined = signatures.flatMap { $0 }
      items.append(BigDataItem(key: "signatures", bytes: joined))
      items.append(BigDataItem(key: "signature-\(manifestDigest.hex)", bytes: joined))
    }
    return items
  }

  /// The digest of the image's record: that of its first manifest, which is a list if there is one (registries 12.1).
  var recordDigest: Digest { indexes.first?.digest ?? manifestDigest }

  /// The record's `metadata`: how the signature items split into single signatures; `{}` without any.
  var metadata: String {
    guard !signatures.isEmpty else { return "{}" }
    let sizes = signatures.map { String($0.count) }.joined(separator: ",")
    return #"{"signature-sizes":[\#(sizes)],"signatures-sizes":{"\#(manifestDigest)":[\#(sizes)]}}"#
  }
}

extension ImageRecord {
  /// Whether the record has an item with these bytes.
  func holds(_ item: BigDataItem) -> Bool {
    bigDataSizes[item.key] == Int64(item.bytes.count)
      && bigDataDigests[item.key] == (item.digest ?? sha256(of: item.bytes))
  }
}

/// The `metadata` that image libraries keep in an image's record.
enum ImageMetadata {
  /// Whether two texts tell the same about signatures.
  ///
  /// Versions of 2022 and 2023 write an entry with an empty list where later ones write nothing; replacing that would
  /// change the record for no reason.
  static func sameSignatures(_ a: String, _ b: String) -> Bool { a == b || splits(a) == splits(b) && splits(a) != nil }

  /// Sizes by key, without empty lists; nil if the text is not of that form.
  private static func splits(_ text: String) -> [String: [JSONValue]]? {
    if text.isEmpty { return nil }
    guard let members = (try? JSONDocument.parse(Array(text.utf8)))?.object else { return nil }
    var splits: [String: [JSONValue]] = [:]
    for member in members {
      switch member.name {
      case "signature-sizes": splits[""] = member.value.array
      case "signatures-sizes":
        for entry in member.value.object ?? [] { splits[entry.name] = entry.value.array }
      default: return nil
      }
    }
    return splits.filter { !$0.value.isEmpty }
  }
}
