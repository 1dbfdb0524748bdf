// SPDX-License-Identifier: Apache-2.0

import StowageDriverAPI
import StowageFiles
package import StowageModel
package import SystemPackage

/// The paths of one overlay layer and the files in it that tell its short name and its parents (graph-drivers 3.2,
/// changes-1.64 3).
package struct OverlayLayer: Hashable, Sendable {
  /// The driver's directory in the store that holds the layer.
  package let home: FilePath
  /// The layer's directory.
  package let path: FilePath
  /// The layer's identifier.
  package let id: String

  /// The directory of layer `id` below `home`.
  package init(home: FilePath, id: String) {
    self.home = home
    self.id = id
    self.path = home.appending(id)
  }

  /// The layer's own files.
  package var diff: FilePath { path.appending("diff") }
  /// The overlay work directory.
  package var work: FilePath { path.appending("work") }
  /// The mount point in the layer's directory.
  package var merged: FilePath { path.appending("merged") }
  /// The dummy lower directory of a base layer.
  package var empty: FilePath { path.appending("empty") }
  /// Targets of idmapped mounts made by the reference.
  package var mapped: FilePath { path.appending("mapped") }
  /// Present for composefs layers only.
  package var composefsData: FilePath { path.appending("composefs-data") }
  /// The file with the short name.
  package var linkFile: FilePath { path.appending("link") }
  /// The file with `l/` entries of the ancestors, nearest first.
  package var lowerFile: FilePath { path.appending("lower") }
  /// The file with identifiers of the ancestors, nearest first.
  package var lowerLayersFile: FilePath { path.appending("lower-layers") }

  /// The target of the layer's entry in `l`.
  package var linkTarget: String { "../\(id)/diff" }

  /// The directory of the entries of all layers.
  package var links: FilePath { home.appending("l") }
  /// The `l` entry with a short name.
  package func linkEntry(_ name: String) -> FilePath { links.appending(name) }

  /// The layer's short name; `nil` if the file is missing, empty, torn to NULs or cannot be a name in `l`
  /// and in `lower`, where colons stand between names.
  package func shortName() throws(StorageError) -> String? {
    guard let bytes = try HostFiles.read(linkFile) else { return nil }
    let name = String(decoding: bytes, as: UTF8.self).trimmedText
    let isText = name.utf8.allSatisfy { $0 > 0x20 && ![UInt8(ascii: "/"), UInt8(ascii: ":"), 0x7F].contains($0) }
    guard !name.isEmpty, isText, name != ".", name != "..", name.utf8.count <= 255 else {
      return nil
    }
    return name
  }

  /// The identifiers in `lower-layers`; `nil` if the file is missing, empty or malformed (changes-1.64 6.3.6).
  package func listedAncestors() throws(StorageError) -> [LayerID]? {
    guard let bytes = try HostFiles.read(lowerLayersFile), !bytes.isEmpty else { return nil }
    var result: [LayerID] = []
    for part in bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false) {
      let text = String(decoding: part, as: UTF8.self)
      // Each layer of a deep image has all below it in its list, and to look at characters costs many times as much as at bytes.
      let isPlain = part.allSatisfy { (0x20...0x7E).contains($0) }
      guard let id = LayerID(recorded: text), isPlain || !text.contains(where: \.isNewline) else { return nil }
      result.append(id)
    }
    return result
  }

  /// The entries (`l/…`) in `lower`; `nil` if the file is missing or empty.
  package func listedLinks() throws(StorageError) -> [String]? {
    guard let bytes = try HostFiles.read(lowerFile), !bytes.isEmpty else { return nil }
    return bytes.split(separator: UInt8(ascii: ":")).map { String(decoding: $0, as: UTF8.self) }
  }

  /// The text of `lower` if it has so many entries; `nil` if not.
  package func listOfLinks(of count: Int) throws(StorageError) -> String? {
    guard let bytes = try HostFiles.read(lowerFile), !bytes.isEmpty else { return nil }
    let colons = bytes.count { $0 == UInt8(ascii: ":") }
    return colons == count - 1 ? String(decoding: bytes, as: UTF8.self) : nil
  }

  /// An earlier generation of the layer's content, from 1.
  package func older(_ generation: Int) -> FilePath { path.appending("diff\(generation)") }

  /// Whether the layer was made without lower layers: it has the dummy one and no lists. Such a layer with recorded parents
  /// is a copy that has all their content itself.
  package func standsAlone() throws(StorageError) -> Bool {
    guard try HostFiles.isDirectory(empty), try listedAncestors() == nil else { return false }
    return try listedLinks() == nil
  }

  /// The earlier generations of the layer's content, `diff1` first, as paths that climb from `diff` without being
  /// shortened (changes-1.64 4.1).
  package func olderGenerations() throws(StorageError) -> [FilePath] {
    var result: [FilePath] = []
    while result.count < 500 {
      let name = "diff\(result.count + 1)"
      guard try HostFiles.exists(path.appending(name)) else { break }
      result.append(FilePath("\(diff)/../\(name)"))
    }
    return result
  }

  /// A new short name: 26 characters of base32 from random bytes (graph-drivers 3.2).
  package static func newShortName() -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
    var generator = SystemRandomNumberGenerator()
    // Each word is a call of the kernel, and has 12 characters.
    let words = (0..<3).map { _ in generator.next() as UInt64 }
    let name = (0..<26).map { alphabet[Int(words[$0 / 12] >> UInt64($0 % 12 * 5) & 31)] }
    return String(decoding: name, as: UTF8.self)
  }
}
