// SPDX-License-Identifier: Apache-2.0

import StowageCompression
import StowageImage
import StowageModel

/// The bytes of one member of an archive, or of one file of a directory. Can be read more than once, from any thread.
struct Blob: Sendable {
  /// The member or file, for messages.
  let name: String
  /// The file that holds the bytes.
  let file: InputFile
  /// Where they begin.
  let offset: Int64
  /// How many there are.
  let size: Int64

  /// The bytes as a stream.
  func open() -> FileRangeSource { FileRangeSource(file, from: offset, to: offset + size) }

  /// All bytes.
  ///
  /// - Throws: `invalidArchive` if there are more than `limit`, before any is read.
  func contents(limit: Int) throws(StorageError) -> [UInt8] {
    guard size <= Int64(limit) else {
      throw StorageError(.invalidArchive, "\(name): \(size) bytes, more than the \(limit) allowed")
    }
    do throws(ArchiveError) {
      return try open().readToEnd(limit: limit)
    } catch {
      throw StorageError(.invalidArchive, "\(name): \(error)", cause: error)
    }
  }
}

/// What holds the blobs of an image: a tar file or a directory.
protocol BlobContainer: Sendable {
  /// Finds a regular file by its path below the container's top, written with `/`; nil if there is none.
  ///
  /// - Throws: `invalidArchive` if something other than a regular file has the name.
  func blob(at path: String) throws(StorageError) -> Blob?
}

extension BlobContainer {
  /// Finds a regular file that must be there.
  func requiredBlob(at path: String) throws(StorageError) -> Blob {
    guard let blob = try blob(at: path) else { throw StorageError(.invalidArchive, "\(path): not in the archive") }
    return blob
  }
}

/// Limits on documents in archives (chunked-and-composefs 5.8).
enum DocumentLimit {
  /// `manifest.json` of a docker-archive, bytes.
  static let archiveManifest = 1 << 20
  /// Configurations, manifests and indexes, bytes.
  static let document = 4 << 20
  /// Layers of an image. Drivers and other tools end at some hundred; a document has room for one layer 50,000 times.
  static let layers = 2048

  /// Refuses an image with more layers than that, before any of them is looked at.
  static func check(layerCount count: Int, of document: JSONDocument) throws(StorageError) {
    guard count > layers else { return }
    throw document.error("\(count) layers, more than the \(layers) allowed")
  }
}
