// SPDX-License-Identifier: Apache-2.0

package import StowageModel
package import SystemPackage

/// `<root>/<driver>-layers`: layer records, tar-split files and big data below a graph root, an image store or an additional
/// store; mount counts and volatile records below a run root. Source: on-disk-format 3.
package struct LayerDirectory: Hashable, Sendable {
  /// The directory.
  package let path: FilePath

  /// The directory below a root; nothing is made.
  package init(_ root: FilePath, driver: String) { path = root.appending("\(driver)-layers") }

  // MARK: Records

  /// Records of layers.
  package var records: FilePath { path.appending("layers.json") }
  /// Records of layers that may be lost in a power failure.
  package var volatileRecords: FilePath { path.appending("volatile-layers.json") }
  /// The lock of the records, and of the driver's content.
  package var lock: FilePath { path.appending("layers.lock") }
  /// Mount counts; below a run root.
  package var mounts: FilePath { path.appending("mountpoints.json") }
  /// The lock of ``mounts``.
  package var mountsLock: FilePath { path.appending("mountpoints.lock") }

  // MARK: Graph roots that share a store; see `docs/formats/dependents.md`

  /// The graph root's own identifier.
  package var identity: FilePath { path.appending("graph-root-id") }
  /// What other graph roots need of this store.
  package var dependents: FilePath { path.appending("dependents.d") }

  // MARK: Files of layers

  private static let tarSplitSuffix = ".tar-split.gz"

  /// The tar-split file of a layer.
  package func tarSplit(of id: LayerID) -> FilePath { path.appending("\(id)\(LayerDirectory.tarSplitSuffix)") }

  /// Directory of a layer's big data items.
  package func items(of id: LayerID) -> FilePath { path.appending(id.rawValue) }

  /// The file of a big data item.
  ///
  /// - Parameter name: see `bigDataFileName(for:)`.
  package func item(_ name: String, of id: LayerID) -> FilePath {
    items(of: id).appending(FilePath(name).components)
  }

  /// The layer that a name here belongs to, if it is one: text that may be an identifier.
  package static func owner(of name: String) -> (id: String, isTarSplit: Bool) {
    name.hasSuffix(tarSplitSuffix) ? (String(name.dropLast(tarSplitSuffix.count)), true) : (name, false)
  }

  // MARK: Temporary files

  /// Directory of staged tar-split files and of the deletion bin.
  package var temporary: FilePath { path.appending("tmp") }
  /// Mount points of short-lived mounts for comparisons; below a run root.
  package var privateMounts: FilePath { path.appending("private-mounts") }

  /// The instance lock with a number, as `StagedDirectory` makes it in ``temporary``.
  package func instanceLock(_ number: String) -> FilePath { temporary.appending("lock-\(number)") }

  /// The number of the instance lock of a staged directory.
  package static func instanceNumber(of directory: FilePath) -> String {
    String((directory.lastComponent?.string ?? "").dropFirst("temp-dir-".count))
  }
}

/// `<root>/<driver>-images`: image records, and the images' own directories.
package struct ImageDirectory: Hashable, Sendable {
  /// The directory.
  package let path: FilePath

  /// The directory below a root; nothing is made.
  package init(_ root: FilePath, driver: String) { path = root.appending("\(driver)-images") }

  /// The deletion bin, if it cannot be beside the layers.
  package var temporary: FilePath { path.appending("tmp") }

  /// Records of images.
  package var records: FilePath { path.appending("images.json") }
  /// The lock of the records.
  package var lock: FilePath { path.appending("images.lock") }
}

/// `<root>/<driver>-containers`: container records, and the containers' own directories.
package struct ContainerDirectory: Hashable, Sendable {
  /// The directory.
  package let path: FilePath

  /// The directory below a root; nothing is made.
  package init(_ root: FilePath, driver: String) { path = root.appending("\(driver)-containers") }

  /// The deletion bin, if it cannot be beside the layers.
  package var temporary: FilePath { path.appending("tmp") }

  /// Records of containers.
  package var records: FilePath { path.appending("containers.json") }
  /// Records of containers that may be lost in a power failure.
  package var volatileRecords: FilePath { path.appending("volatile-containers.json") }
  /// The lock of the records.
  package var lock: FilePath { path.appending("containers.lock") }
}
