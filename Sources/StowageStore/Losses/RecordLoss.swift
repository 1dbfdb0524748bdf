// SPDX-License-Identifier: Apache-2.0

internal import StowageModel
internal import SystemPackage

/// A record file that lost what it said: it is damaged, or it lacks records although their content is there.
///
/// Record files are replaced by a rename, so nobody writes an empty or a torn one: such a file is a proof by itself. One that is
/// missing proves nothing as long as nothing shows that it had content.
public struct RecordLoss: Hashable, Sendable {
  /// What the file records.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// `layers.json` or `volatile-layers.json`.
    case layers
    /// `images.json`.
    case images
    /// `containers.json` or `volatile-containers.json`.
    case containers
  }

  /// What became of the file.
  public enum State: Hashable, Sendable {
    /// It is not there, although something is that it must have recorded.
    case missing(evidence: String)
    /// It does not record something that another record names and that is there.
    case incomplete(evidence: String)
    /// It is empty, full of NULs, or no JSON.
    case damaged(reason: String)
    /// Its records were restored from what is on disk. What it was is kept in the file of that path; as long as it is there, all
    /// that could not be proven to belong to something stays.
    case restored(kept: String)
  }

  /// What the file records.
  public let kind: Kind
  /// The record file, absolute.
  public let path: String
  /// The root of the store whose records it has.
  let root: FilePath
  /// What became of it.
  public let state: State
  /// Whether it is a file of an additional store, which is not restored from here.
  public var isElsewhere = false

  /// Whether its records are still to be restored.
  public var isPending: Bool { if case .restored = state { false } else { true } }

  /// One line for people.
  public var text: String {
    isElsewhere ? "\(stateText) (in an additional store: `check --repair` on that store restores it)" : stateText
  }

  private var stateText: String {
    switch state {
    case .missing(let evidence): "\(path) is missing, although \(evidence)"
    case .incomplete(let evidence): "\(path) has lost records: \(evidence)"
    case .damaged(let reason): "\(path) \(reason)"
    case .restored(let kept): "\(path) was restored, and what it was is kept as \(kept)"
    }
  }

  /// Why something that belongs to nothing stays.
  var reasonToKeep: String {
    switch state {
    case .restored(let kept): "they may belong to what was not restored; if they do not, delete \(kept)"
    case .missing, .incomplete, .damaged: text
    }
  }

  /// What is thrown by all that would delete what the file may name, or write it anew.
  var refusal: StorageError {
    StorageError(
      .corrupt,
      "\(text): nothing that it may name is deleted, and nothing is added; `check --repair` restores it from what is on disk",
      path: path)
  }

  /// What is thrown by all that would make something where something else stands that the file may have named.
  func refusal(toClear place: FilePath) -> StorageError {
    let text =
      isPending
      ? "\(refusal.message); \(place) stays as it is"
      : "\(place) stays as it is: it may belong to what was not restored; if it does not, delete \(path(kept: state))"
    return StorageError(.corrupt, text, path: path)
  }

  private func path(kept state: State) -> String { if case .restored(let kept) = state { kept } else { path } }
}
