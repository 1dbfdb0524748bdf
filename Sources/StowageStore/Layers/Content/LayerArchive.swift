// SPDX-License-Identifier: Apache-2.0

package import StowageCompression
internal import StowageDiff
internal import StowageDigest
package import StowageModel
internal import SystemPackage

/// The archive that a layer was made from, which can be made again: found under the layers lock, read while none is held.
///
/// What other processes do to the layer meanwhile shows as an error, not as another archive: every byte is verified.
package struct LayerArchive: Sendable {
  /// Where the bytes are.
  enum Content: Sendable {
    /// In a tar-split file and trees, nearest first.
    case tarSplit(FilePath, roots: [FilePath])
    /// In the tree alone, of which only the driver makes an archive.
    case tree
  }

  /// The layer.
  package let id: LayerID
  /// The digest of the archive: the layer's diffID.
  package let digest: Digest
  /// Bytes of the archive; nil if that is not recorded.
  package let size: Int64?
  private let content: Content
  private let store: Store

  /// - Throws: `digestUnknown` if nothing says what the archive has to be.
  init(_ layer: FoundLayer, _ content: Content, _ store: Store) throws(StorageError) {
    let record = layer.record
    var digest = record.diffDigest
    // A layer known by its table of contents alone has the diffID that the image's configuration promised.
    if digest == nil, case .string(let text) = record.flags["expected-layer-diffid"] { digest = Digest(recorded: text) }
    guard let digest, digest.isValid else {
      throw StorageError(
        .digestUnknown, "nothing is recorded about what layer \(layer.id) was made from", subject: layer.id.rawValue)
    }
    id = layer.id
    self.digest = digest
    size = record.diffSize >= 0 && record.diffDigest != nil ? record.diffSize : nil
    self.content = content
    self.store = store
  }

  /// Writes the archive, uncompressed. After a failure part of it is written.
  ///
  /// - Parameters:
  ///   - sink: gets the archive; not finished.
  ///   - cancellation: stops the work before the next piece.
  /// - Throws: `digestMismatch` if the bytes are not those that the layer was made from; `corrupt` if a file is not what was
  ///   recorded; `layerUnknown` if the layer was deleted meanwhile; `cancelled`; what the sink throws.
  package func write(to sink: any ByteSink, _ cancellation: CancellationFlag) throws(StorageError) {
    var hasher = SHA256Hasher()
    let allowed = size ?? .max
    var count: Int64 = 0
    let verified = TeeSink(sink) { (bytes) throws(ArchiveError) in
      if cancellation.isCancelled { throw .cancelled }
      count += Int64(bytes.count)
      // A consumer that has announced the size is not given more.
      if count > allowed {
        throw ArchiveError(.caller, "layer is too long", cause: mismatch("more than \(allowed) bytes"))
      }
      hasher.update(bytes)
    }
    do throws(StorageError) {
      switch content {
      case .tarSplit(let file, let roots):
        try reassembleLayer(tarSplit: file, roots: roots, cancellation: cancellation, to: verified)
      case .tree:
        let difference = try store.layers.difference(of: id)
        defer { difference.end() }
        try difference.write(.refused, cancellation, to: verified)
      }
    } catch {
      throw explained(error)
    }
    if let size, count != size { throw mismatch("\(count) bytes instead of \(size)") }
    let actual = hasher.finish()
    guard actual == digest else { throw mismatch("digest is \(actual)") }
  }

  /// The bytes of an archive whose size is not recorded, by making it once.
  package func measured(_ cancellation: CancellationFlag) throws(StorageError) -> Int64 {
    let counter = TeeSink(Nowhere()) { _ in }
    try write(to: counter, cancellation)
    return counter.count
  }

  private func mismatch(_ what: String) -> StorageError {
    let remedy =
      if case .tree = content {
        "its tar-split file is missing, so the archive it was made from cannot be made again: load or pull the image anew"
      } else {
        "it was changed, or is damaged: see what \"stowage check\" says"
      }
    return StorageError(
      .digestMismatch, "layer \(id) is not what it was made from (\(digest)): \(what); \(remedy)",
      subject: id.rawValue)
  }

  /// Says of a layer that is gone that it is, instead of which of its files could not be opened.
  private func explained(_ error: StorageError) -> StorageError {
    guard error.code == .corrupt || error.code == .system else { return error }
    do throws(StorageError) {
      if try store.layers.find(id.rawValue).record.id == id { return error }
    } catch {
      // What cannot be asked explains nothing.
      guard error.code == .layerUnknown else { return error }
    }
    return StorageError(
      .layerUnknown, "layer \(id) was deleted while it was read", subject: id.rawValue, cause: error)
  }
}

/// Takes everything and keeps nothing.
private final class Nowhere: ByteSink {
  func write(_ bytes: UnsafeRawBufferPointer) {}
  func finish() {}
}

extension ImageOperations {
  /// The archives of an image's layers as they are at this moment, base layer first.
  ///
  /// - Throws: `imageUnknown`; `layerUnknown` if a layer is missing; `digestUnknown` or `notSupported` for one whose archive
  ///   cannot be made again.
  package func layerArchives(of id: ImageID) throws(StorageError) -> [LayerArchive] {
    try store.read([.layers, .images]) { (access) throws(StorageError) in
      let layers = access.layers
      let image = try access.images.require(id.rawValue)
      guard let top = image.record.layer else { return [] }
      guard let layer = layers.find(top, near: store.topology.role(ofImageStore: image.store)) else {
        throw StorageError(.layerUnknown, subject: top.rawValue)
          .wrapped("locating layer with ID \(goQuoted(top.rawValue))")
      }
      var archives: [LayerArchive] = []
      for layer in [layer] + (try layers.ancestors(of: layer)) {
        archives.append(try LayerComparison(of: layer, layers, store).archive(layers))
      }
      return archives.reversed()
    }
  }
}
