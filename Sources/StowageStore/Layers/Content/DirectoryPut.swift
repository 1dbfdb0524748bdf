// SPDX-License-Identifier: Apache-2.0

internal import StowageArchive
internal import StowageCompression
internal import StowageConfig
internal import StowageDiff
internal import StowageDriverAPI
internal import StowageFiles
public import StowageModel
internal import StowageRecords
internal import StowageSystem
internal import SystemPackage

extension LayerOperations {
  /// Makes a base layer of what is in a directory of the host, or gives that content to a layer that has none yet, and records
  /// it like a partial pull of a zstd:chunked blob: with the digest of its table of contents, and the table itself as a big
  /// data item (cli 18.5).
  ///
  /// The content is archived and extracted without any lock; then the layer, or its content, appears at once. After a failure
  /// or a crash nothing of it is left.
  ///
  /// - Parameter isCancelled: is asked often whether to stop.
  /// - Throws: `notSupported` if the configuration does not enable partial images or the driver has no place for them;
  ///   `duplicateID`, `duplicateName` if a layer with content, or that is mounted, answers to `id` already; `invalidIdentifier`, `system`, `cancelled`;
  ///   `invalidArchive` if a file changes meanwhile.
  public func putDirectory(
    _ path: String, as id: String, isCancelled: (@Sendable () -> Bool)? = nil
  ) throws(StorageError) -> LayerInfo {
    try DirectoryPut(store: store, path: FilePath(path), id: id, isCancelled: isCancelled).run()
  }
}

/// Makes a layer of a directory of the host; see ``LayerOperations/putDirectory(_:as:isCancelled:)``.
private struct DirectoryPut {
  let store: Store
  let path: FilePath
  let id: String
  let isCancelled: (@Sendable () -> Bool)?

  func run() throws(StorageError) -> LayerInfo {
    try requirePartialImages()
    _ = try attempt("open", path) { () throws(Errno) in try Syscall.open(path, [.readOnly, .directory]) }
    if let refusal = store.topology.roots.refusal { throw refusal }
    let existing = try emptyLayer()
    let staging = try StagedDirectory.create(in: store.topology.layers.data.temporary)
    let archive = staging.addition()
    // After a failure the archive goes with the directory.
    try writeArchive(to: archive)
    let layer = try putChunked(archive, into: existing)
    do throws(StorageError) { try staging.finish() } catch {
      Log.warning("cannot delete a staged archive, the next opener will: \(error)")
    }
    return layer
  }

  /// Partial images are to be enabled, and layers must not be full trees (chunked-and-composefs 2.1, 2.2).
  private func requirePartialImages() throws(StorageError) {
    guard pullOption("enable_partial_images") else {
      throw StorageError(.notSupported, "partial images are disabled")
    }
    let traits = try store.drivers.current().traits
    guard traits.copiesParent else { return }
    let reason = pullOption("convert_images") ? " but convert_images requires that" : ""
    throw StorageError(.notSupported, "graph driver \(traits.name) does not support partial pull\(reason)")
  }

  private func pullOption(_ key: String) -> Bool { store.options.pullOptions?[key]?.lowercased() == "true" }

  /// The layer that answers to the argument, which must be without content, and why it is refused if it gets some meanwhile.
  ///
  /// The reference replaces the content of a layer that answers to the argument, even to a prefix of its identifier.
  private func emptyLayer() throws(StorageError) -> (id: LayerID, refusal: StorageError)? {
    try store.read([.layers]) { (access) throws(StorageError) -> (id: LayerID, refusal: StorageError)? in
      let layers = access.layers
      guard let found = layers.findPrimary(id) else { return nil }
      let refusal: StorageError
      if found.id.rawValue == id {
        refusal = StorageError(.duplicateID, subject: id)
      } else if found.record.names.contains(id) {
        refusal = StorageError(.duplicateName, subject: id)
      } else {
        return nil
      }
      if try EmptyLayer(found, layers) == nil { throw refusal }
      return (found.id, refusal)
    }
  }

  private func writeArchive(to archive: FilePath) throws(StorageError) {
    let isCancelled = isCancelled
    let file = try attempt("open", archive) { () throws(Errno) in
      try Syscall.open(archive, [.writeOnly, .create, .exclusive], mode: 0o600)
    }
    let sink = TeeSink(DescriptorSink(file.rawValue)) { (_) throws(ArchiveError) in
      if isCancelled?() == true { throw ArchiveError.cancelled }
    }
    try writeTreeDiff(new: path, old: nil, markNames: .kept, to: sink)
    do throws(ArchiveError) { try sink.finish() } catch { throw error.asStorageError }
  }

  private func putChunked(
    _ archive: FilePath, into existing: (id: LayerID, refusal: StorageError)?
  ) throws(StorageError) -> LayerInfo {
    let manifest: ChunkedManifest
    let input = LayerInput.file(archive.string)
    let source = try input.source()
    let flag = CancellationFlag(asking: isCancelled)
    do throws(ArchiveError) { manifest = try ChunkedManifest(of: source, cancellation: flag) } catch {
      throw error.asStorageError
    }
    let items = [
      BigDataItem(key: "zstd-chunked-manifest", bytes: manifest.json),
      // The files lie in directories, not flat for composefs.
      BigDataItem(key: "zstd-chunked-layer-data", bytes: Array("{\"format\":0}".utf8)),
    ]
    let diff = DiffRequest(input: input, expecting: ExpectedDiff(), progress: nil, isCancelled: isCancelled)
    if let existing {
      let addition = DiffApplication.Addition(
        tocDigest: manifest.digest, items: items, refusal: existing.refusal)
      _ = try DiffApplication(store: store, diff, to: existing.id.rawValue, with: addition).run()
      return try store.layers.find(existing.id.rawValue)
    }
    var request = LayerCreation(id: id, bigData: items)
    request.tocDigest = manifest.digest
    return try LayerPut(store: store, request: request, diff: diff).run().layer
  }
}
