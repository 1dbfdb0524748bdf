// SPDX-License-Identifier: Apache-2.0

internal import StowageDiff
internal import StowageDriverAPI
public import StowageModel
internal import StowageRecords
internal import SystemPackage

extension Store {
  /// Lets equal files in the layers of all images share their blocks, where the file system can (store-semantics 24).
  ///
  /// Layers of the graph root and of the image store take part; those of additional stores are not touched. No lock is held
  /// while files are read.
  ///
  /// - Parameter hashMethod: `crc`, `size` or `sha256`: how candidates are found. The kernel compares them byte by byte.
  /// - Returns: the number of bytes that are shared, those that were shared before included; 0 where that is impossible.
  /// - Throws: `invalidOption` for another method; what reading the records throws.
  public func dedup(hashMethod: String = "crc") throws(StorageError) -> UInt64 {
    guard let hash = ContentHash(rawValue: hashMethod) else {
      throw StorageError(.invalidOption, "invalid hash method: \(hashMethod)")
    }
    let sharing = FileSharing(hash)
    let trees = try read([.layers, .images]) { (access) throws(StorageError) in
      try access.layers.imageTrees(access.images)
    }
    for tree in trees where sharing.isSupported {
      do throws(StorageError) { try sharing.add(tree) } catch {
        Log.debug("dedup: \(error)")
      }
    }
    return sharing.sharedBytes
  }
}

extension LayersReading {
  /// The directories of all layers that images are made of and that may be written.
  fileprivate func imageTrees(_ images: ImagesView) throws(StorageError) -> [FilePath] {
    if driver.traits.sharesBlocks { return [] }
    var trees: [FilePath] = []
    var seen: Set<LayerLocation> = []
    for (index, table) in images.tables.enumerated() {
      let home = store.topology.role(ofImageStore: index)
      for top in table.records.flatMap(\.topLayers) {
        guard let layer = find(top, near: home) else { continue }
        // Without its ancestors, if these cannot be told.
        for location in [layer.location] + ((try? chain(of: layer)) ?? [])
        where location.isWritable && seen.insert(location).inserted {
          trees += try driver.contentRoots(of: location, over: []).prefix(1)
        }
      }
    }
    return trees
  }
}
