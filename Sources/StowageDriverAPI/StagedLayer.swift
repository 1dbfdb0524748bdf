// SPDX-License-Identifier: Apache-2.0

package import StowageFiles
package import StowageModel
package import SystemPackage

/// The tree of a layer-to-be, copied or extracted before the layer exists and without any store lock (graph-drivers 11.4).
///
/// The target store is fixed when staging starts (store-semantics 27.3.4). Ends by ``GraphDriver/create(_:over:_:staged:)``
/// or ``discard()``; forgetting it discards it, and if the process dies, the next opener removes the tree.
package struct StagedLayer: ~Copyable, Sendable {
  /// Where and how to extract the content.
  package let target: ApplyTarget
  /// The parents' content with other owners, which is to be below the layer's own; `nil` if there is none.
  package let older: FilePath?
  /// The root of the store that the content will be committed to.
  package let targetRoot: FilePath
  /// The directory, with its instance lock, that protects the tree from recovery.
  private let directory: StagedDirectory

  /// Takes over a staged directory that contains the tree of `target`.
  package init(
    target: ApplyTarget, older: FilePath? = nil, targetRoot: FilePath, directory: consuming StagedDirectory
  ) {
    self.target = target
    self.older = older
    self.targetRoot = targetRoot
    self.directory = directory
  }

  /// The directory that receives the content.
  package var tree: FilePath { target.root }

  /// Deletes what was extracted, and the staging directory.
  ///
  /// - Throws: `StorageError` if something cannot be deleted; the next opener of the store tries again.
  package consuming func discard() throws(StorageError) {
    try directory.discard()
  }

  /// Ends the staging after the tree was moved out. Must come after the move: the tree lives no longer than this value.
  package consuming func finish() {
    let path = directory.path
    do throws(StorageError) { try directory.finish() } catch {
      Log.warning("cannot remove the staging directory \(path), the next opener will: \(error)")
    }
  }
}
