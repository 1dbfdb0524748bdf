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
    for tree in try imageTrees() where sharing.isSupported {
      do throws(StorageError) { try sharing.add(tree) } catch {
        Log.debug("dedup: \(error)")
      }
    }
    return sharing.sharedBytes
  }

  /// The directories of all layers that images are made of and that may be written.
  private func imageTrees() throws(StorageError) -> [FilePath] {
    try read([.layers, .images]) { (access) throws(StorageError) -> [FilePath] in
      let layers = access.layers
      if layers.driver.traits.sharesBlocks { return [] }
      var trees: [FilePath] = []
      var seen: Set<LayerLocation> = []
      for (index, table) in access.images.tables.enumerated() {
        let home = self.topology.role(ofImageStore: index)
        for top in table.records.flatMap(\.topLayers) {
          guard let layer = layers.find(top, near: home) else { continue }
          for location in [layer.location] + ((try? layers.chain(of: layer)) ?? [])
          where location.isWritable && seen.insert(location).inserted {
            trees += layers.driver.contentRoots(of: location, over: []).prefix(1)
          }
        }
      }
      return trees
    }
  }
}
