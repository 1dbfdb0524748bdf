// SPDX-License-Identifier: Apache-2.0

public import StowageModel
internal import StowageSystem
internal import SystemPackage

extension Store {
  /// What this store takes on disk, measured now.
  ///
  /// The records are those of one moment. Trees are walked without any lock, and what vanishes meanwhile is not counted.
  ///
  /// - Throws: `corrupt` if records cannot be read; `system` if something cannot be looked at.
  public func diskUsage() throws(StorageError) -> DiskUsage {
    // Looked for before the records are read: what is recorded since then is none.
    let leftovers = isReadOnly ? [] : try leftoversUnlessLost()
    var snapshot = try read([.layers]) { (access) throws(StorageError) in
      let layers = access.layers
      return try read([.images, .containers]) { (access) throws(StorageError) in
        try SpaceSnapshot(self, layers, access)
      }
    }
    snapshot.add(leftovers)
    var walk = SpaceWalk(snapshot.owners)
    var roots: [DiskUsage.Root] = []
    for root in topology.outermostRoots {
      roots.append(DiskUsage.Root(path: root.string, bytes: try walk.add(root)))
    }
    walk.finish()
    return SpaceSums(snapshot, walk).usage(roots)
  }

  /// While records are lost nothing can be told to be left over.
  private func leftoversUnlessLost() throws(StorageError) -> [Leftover] {
    do throws(StorageError) { return try findLeftovers().leftovers } catch {
      if error.code == .corrupt { return [] }
      throw error
    }
  }
}

extension StoreTopology {
  /// Graph root, image store and run root, without those that are inside another one.
  fileprivate var outermostRoots: [FilePath] {
    let all = layerHomes.map(\.root) + [roots.runRoot]
    let places = all.map { MountTable.canonical($0) }
    return all.indices.filter { index in
      !places.indices.contains { other in
        other != index && places[index].starts(with: places[other])
          && (places[index] != places[other] || other < index)
      }
    }.map { all[$0] }
  }
}
