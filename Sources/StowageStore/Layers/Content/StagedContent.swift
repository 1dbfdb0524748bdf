// SPDX-License-Identifier: Apache-2.0

internal import StowageDiff
internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import SystemPackage

/// Content of a layer, copied or extracted before the layer exists.
struct StagedContent: ~Copyable {
  /// The tree.
  var layer: StagedLayer?
  /// The state of the layer that the tree was copied from, if it was, as found before the copy began.
  let source: LayerState?
  /// What a diff brought along, or the template has.
  var diff: StagedDiff?

  /// Deletes what was not moved into the store.
  consuming func discard() {
    do throws(StorageError) {
      if let layer = layer.take() { try layer.discard() }
      if let diff = diff.take() { try diff.directory.discard() }
    } catch {
      Log.warning("cannot delete a staged layer, the next opener will: \(error)")
    }
  }
}

/// What belongs to the content of a staged tree beside the tree.
struct StagedDiff: ~Copyable {
  /// The directory that has the tar-split file.
  let directory: StagedDirectory
  /// The tar-split file in it.
  let tarSplit: FilePath
  /// What the extraction found out; `nil` if the record has it already, that of a copy.
  let result: ApplyResult?
}
