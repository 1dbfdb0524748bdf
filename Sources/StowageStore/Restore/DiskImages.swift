// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
internal import StowageImage
internal import StowageModel
internal import StowageRecords
internal import SystemPackage

/// The images that directories in the stores that may be written show, and why others show none.
final class DiskImages {
  private let topology: StoreTopology
  private let cancellation: CancellationFlag
  private var read: [FilePath: [ImageID: Result<DiskImage, StorageError>]] = [:]

  init(_ topology: StoreTopology, _ cancellation: CancellationFlag) {
    self.topology = topology
    self.cancellation = cancellation
  }

  /// All in one directory, by identifier; read once.
  func inDirectory(_ directory: FilePath) throws(StorageError) -> [ImageID: Result<DiskImage, StorageError>] {
    if let known = read[directory] { return known }
    var found: [ImageID: Result<DiskImage, StorageError>] = [:]
    for name in try directoryNames(directory) where looksLikeIdentifier(name) {
      guard let id = ImageID(recorded: name) else { continue }
      try cancellation.check()
      let path = directory.appending(name)
      // Only what callers put there: the image is, or was, in another store.
      if try directoryNames(path).allSatisfy({ $0 == BigDataFiles.callersDirectory.string }) { continue }
      do throws(StorageError) { found[id] = .success(try DiskImage(id, in: path)) } catch {
        found[id] = .failure(error)
      }
    }
    read[directory] = found
    return found
  }

  /// All that are proven, in order.
  func proven() throws(StorageError) -> [DiskImage] {
    var all: [DiskImage] = []
    for place in topology.images where place.isWritable {
      for (_, image) in try inDirectory(place.directory).sorted(by: { $0.key < $1.key }) {
        if case .success(let image) = image { all.append(image) }
      }
    }
    return all
  }
}
