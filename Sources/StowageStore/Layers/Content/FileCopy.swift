// SPDX-License-Identifier: Apache-2.0

internal import StowageDiff
internal import StowageFiles
public import StowageModel
internal import StowageSystem
internal import SystemPackage

extension Store {
  /// Copies files, or the content of directories, into a layer or onto the host (cli 18.6, archive-and-diff 12.1).
  ///
  /// All sources go to the same target: a directory's content is merged into the target directory, a file gets the target's
  /// name. The layers are mounted meanwhile; no lock is held while bytes move. After a failure the target has part of the
  /// copy, and a file that was being replaced may be missing.
  ///
  /// - Parameters:
  ///   - owner: of everything new; nil keeps the owners, translated between the ID maps of the layers.
  ///   - isCancelled: is asked often whether to stop.
  /// - Throws: `layerUnknown`, `readOnlyStore`, `mountFailed`; `system`, `invalidMappings`, `cancelled`.
  public func copy(
    _ sources: [CopyPlace], to target: CopyPlace, owner: CopyOwner? = nil, isCancelled: (@Sendable () -> Bool)? = nil
  ) throws(StorageError) {
    let mounts = CopyMounts(self)
    defer { mounts.end() }
    let targetPlace = try mounts.place(target)
    let places = try sources.map { (source) throws(StorageError) in try mounts.place(source) }
    for place in places {
      do throws(StorageError) {
        try copyObject(
          from: place, to: targetPlace, owner: owner.map { ApplyOptions.Owner(uid: $0.uid, gid: $0.gid) },
          inUserNamespace: isInUserNamespace, cancellation: CancellationFlag(asking: isCancelled))
      } catch {
        if error.code == .cancelled { throw error }
        throw error.wrapped("error copying \"\(place.shown)\" to \"\(targetPlace.shown)\"")
      }
    }
  }
}

/// The layers mounted for one copy. For one thread.
private final class CopyMounts {
  private let store: Store
  private var mounted: [(id: LayerID, place: (root: FilePath, maps: IDMaps))] = []

  init(_ store: Store) { self.store = store }

  /// A place as it can be reached on the host; its layer is mounted.
  func place(_ place: CopyPlace) throws(StorageError) -> TreePlace {
    switch place {
    case .host(let path):
      return try TreePlace(root: "/", path: absolute(path).string, shown: FilePath(path))
    case .layer(let nameOrID, let path):
      let (root, maps) = try mount(nameOrID)
      return try TreePlace(root: root, path: path, maps: maps)
    }
  }

  private func mount(_ nameOrID: String) throws(StorageError) -> (root: FilePath, maps: IDMaps) {
    let layer: LayerInfo
    do throws(StorageError) { layer = try store.layers.find(nameOrID) } catch {
      throw error.wrapped("error finding layer \"\(nameOrID)\"")
    }
    if let known = mounted.first(where: { $0.id == layer.id }) { return known.place }
    do throws(StorageError) {
      let maps = try store.read([.layers]) { (access) throws(StorageError) -> IDMaps in
        guard let found = access.layers.find(layer.id) else {
          throw StorageError(.layerUnknown, subject: layer.id.rawValue)
        }
        return try access.layers.storedMaps(of: found, store)
      }
      let place = (root: FilePath(try store.mount(layer.id.rawValue)), maps: maps)
      mounted.append((layer.id, place))
      return place
    } catch {
      throw error.wrapped("error mounting layer \"\(layer.id)\"")
    }
  }

  /// Unmounts all; failures are logged, the copy is complete.
  func end() {
    for (id, _) in mounted {
      do throws(StorageError) { try store.unmount(id.rawValue) } catch {
        Log.error("error unmounting layer \"\(id)\": \(error.message)")
      }
    }
    mounted = []
  }
}
