// SPDX-License-Identifier: Apache-2.0

internal import StowageDiff
internal import StowageDriverAPI
internal import StowageFiles
internal import StowageModel
internal import SystemPackage

/// Content of a layer, copied or extracted before the layer exists. Forgetting it deletes what was not moved into the store.
struct StagedContent: ~Copyable {
  /// The tree.
  var layer: StagedLayer?
  /// The state of the layer that the tree was copied from, if it was, as found before the copy began.
  let source: LayerState?
  /// What a diff brought along, or the template has.
  var diff: StagedDiff?
  /// Whether it is still to be forced to the device, by ``ContentStaging/flush(_:)``.
  var needsFlush = false
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
