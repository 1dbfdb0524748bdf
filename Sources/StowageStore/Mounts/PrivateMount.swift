// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import StowageMounts
internal import StowageRecords
internal import SystemPackage

/// A read-only presentation of a layer at a directory of our own, not counted. If the process dies, the next opener ends
/// it.
struct PrivateMount {
  /// Where the tree is.
  let path: FilePath
  private let place: Place?

  /// A directory with an instance lock, which shows that this process lives.
  private final class Place: Sendable {
    let directory: StagedDirectory
    let tree: FilePath

    init(_ root: FilePath) throws(StorageError) {
      directory = try StagedDirectory.create(in: root, isTransient: true)
      tree = directory.addition()
      try makeDirectories(tree, mode: 0o700)
    }
  }

  /// Mounts, if the driver must mount at all.
  ///
  /// - Parameter options: how; read-only in any case.
  init(
    _ layer: LayerLocation, _ chain: [LayerLocation], _ driver: any GraphDriver, _ topology: StoreTopology,
    _ options: MountOptions = MountOptions()
  ) throws(StorageError) {
    var options = options
    options.options = ["ro"]
    let plan = try driver.mountPlan(for: layer, over: chain, options)
    guard plan.hasMount else {
      path = plan.mountPoint
      place = nil
      return
    }
    let place = try Place(topology.layers.run.privateMounts)
    self.place = place
    path = place.tree
    try MountExecutor.perform(plan.mounting(at: place.tree))
  }

  /// Unmounts; a failure is logged. The directory goes with the last copy of this value.
  func end() {
    guard let place else { return }
    do throws(StorageError) {
      try MountExecutor.unmount(place.tree)
    } catch {
      Log.warning("cannot remove the temporary mount \(place.tree): \(error)")
    }
  }
}
