// SPDX-License-Identifier: Apache-2.0

internal import StowageDigest
internal import StowageFiles
internal import StowageImage
internal import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

/// An image as its directory shows it without a record: data items, and among them a configuration that proves which layers it
/// has.
struct DiskImage {
  /// A data item.
  struct Item {
    let key: String
    let size: Int
    let digest: Digest
  }

  /// Documents are smaller; callers may put larger things beside them.
  private static let documentLimit = 4 << 20

  let id: ImageID
  /// All items, the manifest first.
  let items: [Item]
  let config: ImageConfig
  /// `nil` if there is none.
  let manifest: ImageManifest?

  /// Reads a directory.
  ///
  /// - Throws: `corrupt` with what is missing for a proof; `system`.
  init(_ id: ImageID, in directory: FilePath) throws(StorageError) {
    self.id = id
    var items: [Item] = []
    for name in try directoryNames(directory) where name != BigDataFiles.callersDirectory.string {
      guard let key = bigDataKey(ofFile: name) else { continue }
      let file = directory.appending(FilePath(name).components)
      let (size, digest) = try fileDigest(file)
      items.append(Item(key: key, size: size, digest: digest))
    }
    let documents = DiskDocuments(directory: directory, items: items, limit: DiskImage.documentLimit)
    let manifest = try documents.manifest()
    // The identifier is the digest of the configuration, or the manifest says what is.
    let digest = manifest?.config.digest.description ?? "sha256:\(id.rawValue)"
    guard let config = try documents.config(digest) else {
      throw StorageError(.corrupt, "no configuration with digest \(digest) in \(directory)")
    }
    self.manifest = manifest
    self.config = config
    // What is named by a digest and does not have it is damaged.
    self.items = items.filter { item in
      !item.key.hasPrefix("manifest-sha256:") || item.key == "manifest-\(item.digest)"
    }
  }

  /// The record of the image over a layer; names and metadata are lost.
  func record(over top: LayerID?, createdElse time: Timestamp) -> ImageRecord {
    var record = ImageRecord(id: id, layer: top, created: config.created ?? time)
    for item in items { record.enter(item.key, size: item.size, digest: item.digest) }
    record.digest = items.first { $0.key == "manifest" }?.digest
    return record
  }
}

/// The documents among the items of an image.
private struct DiskDocuments {
  let directory: FilePath
  let items: [DiskImage.Item]
  let limit: Int

  /// The manifest, if there is one and it is what its name says, when there is a second item that is named by its digest.
  func manifest() throws(StorageError) -> ImageManifest? {
    guard let item = items.first(where: { $0.key == "manifest" }) else { return nil }
    let isNamed = items.contains { $0.key.hasPrefix("manifest-sha256:") }
    guard !isNamed || items.contains(where: { $0.key == "manifest-\(item.digest)" }) else {
      throw StorageError(.corrupt, "the manifest in \(directory) is not what it was")
    }
    return try ImageManifest(try document(item))
  }

  func config(_ digest: String) throws(StorageError) -> ImageConfig? {
    guard let item = items.first(where: { $0.key == digest }), item.digest.description == digest else { return nil }
    return try ImageConfig(try document(item))
  }

  private func document(_ item: DiskImage.Item) throws(StorageError) -> JSONDocument {
    let name = try bigDataFileName(for: item.key)
    let file = directory.appending(FilePath(name).components)
    return try JSONDocument(name: file.string, bytes: try StoreFile.read(file, limit: limit))
  }
}

/// Size and sha256 of a file, however large it is.
func fileDigest(_ path: FilePath) throws(StorageError) -> (size: Int, digest: Digest) {
  try attempt("read", path) { () throws(Errno) -> (size: Int, digest: Digest) in
    let file = try Syscall.open(path, [.readOnly, .noFollow, .nonBlocking])
    guard try Syscall.fstat(file.rawValue).kind == .regular else { throw .invalidArgument }
    var (hasher, size) = (SHA256Hasher(), 0)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      let count = try Syscall.read(file.rawValue, into: buffer)
      if count == 0 { return (size, hasher.finish()) }
      hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      size += count
    }
  }
}
