// SPDX-License-Identifier: Apache-2.0

internal import StowageArchive
internal import StowageCompression
internal import StowageConfig
internal import StowageDiff
internal import StowageDriverAPI
internal import StowageFiles
public import StowageModel
internal import StowageSystem
internal import SystemPackage

extension LayerOperations {
  /// Makes a base layer of what is in a directory of the host, and records it like a partial pull of a zstd:chunked blob:
  /// with the digest of its table of contents, and the table itself as a big data item (cli 18.5).
  ///
  /// The content is archived and extracted without any lock; then the layer appears at once. After a failure or a crash
  /// nothing of it is left.
  ///
  /// - Parameter isCancelled: is asked often whether to stop.
  /// - Throws: `notSupported` if the configuration does not enable partial images or the driver has no place for them;
  ///   `duplicateID`, `duplicateName` if a layer answers to `id` already; `invalidIdentifier`, `system`, `cancelled`;
  ///   `invalidArchive` if a file changes meanwhile.
  public func putDirectory(
    _ path: String, as id: String, isCancelled: (@Sendable () -> Bool)? = nil
  ) throws(StorageError) -> LayerInfo {
    try store.putDirectory(FilePath(path), as: id, isCancelled)
  }
}

extension Store {
  fileprivate func putDirectory(
    _ path: FilePath, as id: String, _ isCancelled: (@Sendable () -> Bool)?
  ) throws(StorageError) -> LayerInfo {
    try requirePartialImages()
    _ = try attempt("open", path) { () throws(Errno) in try Syscall.open(path, [.readOnly, .directory]) }
    try requireNewLayer(id)
    let staging = try StagedDirectory.create(in: topology.layers.temporary)
    let archive = staging.addition()
    // After a failure the archive goes with the directory.
    try writeArchive(of: path, to: archive, isCancelled)
    let layer = try putChunked(archive, as: id, isCancelled)
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
    let traits = try drivers.current().traits
    guard traits.copiesParent else { return }
    let reason = pullOption("convert_images") ? " but convert_images requires that" : ""
    throw StorageError(.notSupported, "graph driver \(traits.name) does not support partial pull\(reason)")
  }

  private func pullOption(_ key: String) -> Bool { options.pullOptions?[key]?.lowercased() == "true" }

  /// The reference replaces the content of a layer that answers to the argument, even to a prefix of its identifier.
  private func requireNewLayer(_ id: String) throws(StorageError) {
    try withLayers { (layers) throws(StorageError) in
      guard let found = layers.findPrimary(id) else { return }
      if found.id.rawValue == id { throw StorageError(.duplicateID, subject: id) }
      if found.record.names.contains(id) { throw StorageError(.duplicateName, subject: id) }
    }
  }

  private func writeArchive(
    of directory: FilePath, to archive: FilePath, _ isCancelled: (@Sendable () -> Bool)?
  ) throws(StorageError) {
    let file = try attempt("open", archive) { () throws(Errno) in
      try Syscall.open(archive, [.writeOnly, .create, .exclusive], mode: 0o600)
    }
    let sink = TeeSink(DescriptorSink(file.rawValue)) { (_) throws(ArchiveError) in
      if isCancelled?() == true { throw ArchiveError.cancelled }
    }
    try writeTreeDiff(new: directory, old: nil, to: sink)
    do throws(ArchiveError) { try sink.finish() } catch { throw error.asStorageError }
  }

  private func putChunked(
    _ archive: FilePath, as id: String, _ isCancelled: (@Sendable () -> Bool)?
  ) throws(StorageError) -> LayerInfo {
    let manifest: ChunkedManifest
    let input = LayerInput.file(archive.string)
    let source = try input.source()
    let flag = CancellationFlag(asking: isCancelled)
    do throws(ArchiveError) { manifest = try ChunkedManifest(of: source, cancellation: flag) } catch {
      throw error.asStorageError
    }
    var request = LayerCreation(
      id: id,
      bigData: [
        BigDataItem(key: "zstd-chunked-manifest", bytes: manifest.json),
        // The files lie in directories, not flat for composefs.
        BigDataItem(key: "zstd-chunked-layer-data", bytes: Array("{\"format\":0}".utf8)),
      ])
    request.tocDigest = manifest.digest
    let diff = DiffRequest(input: input, expecting: ExpectedDiff(), progress: nil, isCancelled: isCancelled)
    return try putLayer(request, diff).layer
  }
}
