// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageSystem
internal import SystemPackage

/// The files of layers that are beside the records, not in the driver's directories.
enum LayerFiles {
  /// Gives the image store a tar-split file of its own: a hard link, or a copy if that is on another file system.
  ///
  /// Needs the layer locks exclusively; the layer is `incomplete` meanwhile, so after a crash both files go.
  static func share(
    _ file: FilePath, of layer: LayerLocation, _ places: StoreTopology.LayerPlaces
  ) throws(StorageError) {
    for directory in places.dataDirectories(of: layer) where directory.tarSplit(of: layer.id) != file {
      let target = directory.tarSplit(of: layer.id)
      do throws(Errno) {
        // If it stays, the link fails.
        try? Syscall.unlink(target)
        try Syscall.link(file, target)
      } catch .improperLink, .tooManyLinks, .notPermitted {
        let bytes = try StoreFile.read(file)
        try AtomicFile.replace(target, contents: bytes, durability: .content)
      } catch {
        throw .failed("link", file, target, error)
      }
    }
  }
}
