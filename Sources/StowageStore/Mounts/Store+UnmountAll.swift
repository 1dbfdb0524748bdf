// SPDX-License-Identifier: Apache-2.0

internal import StowageFiles
public import StowageModel
internal import StowageRecords
internal import SystemPackage

/// What became of one mount when all were to end.
public struct UnmountOutcome: Sendable {
  /// The layer.
  public let layer: LayerID
  /// The container whose own layer it is.
  public let container: ContainerRecord?
  /// Where it was mounted.
  public let path: String
  /// Why it stays: `busy` if processes live in it; `system`. Nil if it is unmounted.
  public let error: StorageError?
}

extension Store {
  /// Unmounts all containers, images and layers, however often they were mounted.
  ///
  /// What a process has as its root or working directory, as the processes of a running container do, stays.
  /// - Parameter force: ends these mounts, too. The processes go on with the files, and nobody else sees them.
  /// - Returns: what was mounted, in order of identifiers.
  public func unmountAll(force: Bool = false) throws(StorageError) -> [UnmountOutcome] {
    let mounts = try read([.layers, .containers]) { (access) throws(StorageError) in
      let ledger = access.layers.mounts
      let containers = access.containers.records
      return ledger.layers.sorted().compactMap { id in
        ledger[id].map { (mount: $0, container: containers.first { $0.layer == id }) }
      }
    }
    func unmountLost(_ id: LayerID) throws(StorageError) {
      if isReadOnly {
        try read([.layers]) { (access) throws(StorageError) in
          let layers = access.layers
          try layers.unmountLost(id)
        }
      } else {
        try free([.layers]) { (access) throws(StorageError) in
          let layers = access.layers
          try layers.reading.unmountLost(id)
        }
      }
    }
    return mounts.map { mount, container in
      var failure: StorageError?
      let users = force ? [] : TreeUser.all(of: FilePath(mount.path))
      if users.isEmpty {
        do throws(StorageError) {
          do throws(StorageError) { try unmount(mount.id.rawValue, force: true) } catch {
            guard error.code == .layerUnknown else { throw error }
            try unmountLost(mount.id)
          }
        } catch {
          failure = error
        }
      } else {
        let title = container.map { "container \($0.title)" } ?? "layer \(mount.id.rawValue.prefix(12))"
        let list = users.prefix(3).map(\.description).joined(separator: ", ")
        failure = StorageError(
          .busy, "\(title) is used by \(list): it stays mounted; stop that, or use --force", subject: mount.id.rawValue,
          path: mount.path)
      }
      return UnmountOutcome(layer: mount.id, container: container, path: mount.path, error: failure)
    }
  }
}
