// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageImage
internal import StowageModel
internal import StowageRecords
internal import SystemPackage

/// What is needed of the OCI runtime configuration of a container, `userdata/config.json`.
struct RuntimeConfig {
  /// What a configuration may have at most.
  private static let limit = 16 << 20

  /// The path of the container's tree.
  let root: String
  let mountLabel: String
  let processLabel: String
  /// Whether the container has a user namespace.
  let mapsIdentifiers: Bool

  /// Reads it.
  ///
  /// - Throws: `corrupt`, `invalidArchive` if it is none; `system`.
  init(in file: FilePath) throws(StorageError) {
    let document = try JSONDocument(name: file.string, bytes: try StoreFile.read(file, limit: RuntimeConfig.limit))
    root = document.value["root"]?["path"]?.string ?? ""
    mountLabel = document.value["linux"]?["mountLabel"]?.string ?? ""
    processLabel = document.value["process"]?["selinuxLabel"]?.string ?? ""
    mapsIdentifiers = document.value["linux"]?["uidMappings"]?.array?.isEmpty == false
  }

  /// That of a container's directory; nil if there is none that makes sense.
  init?(ofContainer name: String, in directory: FilePath) {
    // What cannot be read shows nothing.
    guard let config = try? RuntimeConfig(in: RuntimeConfig.file(ofContainer: name, in: directory)) else { return nil }
    self = config
  }

  /// Where it is.
  static func file(ofContainer name: String, in directory: FilePath) -> FilePath {
    BigDataFiles.callersDirectory(of: name, in: directory).appending("config.json")
  }

  /// The layer that the tree is that of, by its name in the path: one that did not come as an archive. `nil` if it is none.
  func layer(among layers: [LayerID: LayerRecord]) -> LayerRecord? {
    let named = FilePath(root).components.compactMap { LayerID(recorded: $0.string).flatMap { layers[$0] } }
    let found = named.filter { $0.diffDigest == nil && looksLikeIdentifier($0.id.rawValue) }
    return found.count == 1 ? found.first : nil
  }
}
