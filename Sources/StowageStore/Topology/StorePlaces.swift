// SPDX-License-Identifier: Apache-2.0

package import StowageDriverAPI
package import SystemPackage

extension StoreTopology {
  /// A file of layer records, in load order; on a duplicate identifier the first one wins.
  package struct LayerDocument: Hashable, Sendable {
    /// The file.
    package let path: FilePath
    /// What the store that owns the layers' trees is.
    package let role: LayerLocation.Role
    /// The root of that store.
    package let root: FilePath
    /// Whether a loss of the file in a power failure is tolerated; such files are not flushed.
    package let isVolatile: Bool
  }

  /// The primary layer store: one table over several files under one or two locks.
  package struct LayerPlaces: Hashable, Sendable {
    /// Record files in load order: stable, image store, volatile.
    package let documents: [LayerDocument]
    /// Tar-split files and big data in the graph root.
    package let data: LayerDirectory
    /// Directories to look for tar-split files and big data in, in order: the graph root's, the image store's.
    package let dataSearch: [LayerDirectory]
    /// Mount counts, in the run root.
    package let run: LayerDirectory

    /// Lock files in locking order.
    package var locks: [FilePath] { dataSearch.map(\.lock) }
    /// Directories to make before first use.
    package var directories: [FilePath] { [run.path] + dataSearch.map(\.path) }
    /// Directories like the graph root's ``LayerDirectory/temporary`` to recover.
    package var temporaries: [FilePath] { dataSearch.map(\.temporary) }
    /// Directories with files that are written under the layer locks.
    var writtenDirectories: [FilePath] { directories + dataSearch.map(\.dependents) }

    /// Where tar-split files and big data of a layer are written: in the graph root, where the reference looks for them,
    /// and for a layer of the image store there too, for whoever shares it (store-semantics 27.2.6).
    package func dataDirectories(of layer: LayerLocation) -> [LayerDirectory] {
      layer.role == .imageStore ? dataSearch : [data]
    }
  }

  /// An additional store's layers.
  package struct AdditionalLayerPlaces: Hashable, Sendable {
    /// Record files in load order.
    package let documents: [LayerDocument]
    /// Tar-split files and big data.
    package let data: LayerDirectory
  }

  /// One store of images.
  package struct ImagePlaces: Hashable, Sendable {
    /// The record file, the lock and the images' directories.
    package let place: ImageDirectory
    /// Where directories of removed images wait for their deletion: beside the layers of that store, or, if that is another
    /// mount, beside the images.
    package let bin: FilePath
    /// Whether images may be changed here.
    package let isWritable: Bool

    /// Directory of big data and of the images' directories.
    package var directory: FilePath { place.path }
  }

  /// The store of containers.
  package struct ContainerPlaces: Hashable, Sendable {
    /// Big data and the containers' directories.
    package let place: ContainerDirectory
    /// Where directories of removed containers wait for their deletion, chosen as that of images.
    package let bin: FilePath
    /// Run directories.
    package let runPlace: ContainerDirectory
    /// Record files in load order: stable, volatile.
    package let documents: [FilePath]
    /// Lock files in locking order; the first one's token tells of changes.
    package let locks: [FilePath]

    /// Directory of big data and of the containers' directories.
    package var directory: FilePath { place.path }
    /// Directory of run directories.
    package var runDirectory: FilePath { runPlace.path }
  }
}
