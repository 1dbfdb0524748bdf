// SPDX-License-Identifier: Apache-2.0

/// One difference between a layer and what is below it (archive-and-diff 9).
package struct Change: Hashable, Sendable {
  /// What happened to a path; the numbers are those of `changes --json`.
  package enum Kind: Int, Hashable, Sendable {
    /// It was there before and differs, or something below it changed.
    case modify = 0
    /// It is new.
    case add = 1
    /// It is gone.
    case delete = 2
  }

  /// Absolute within the layer, beginning with `/`, as bytes.
  package var path: [UInt8]
  /// What happened.
  package var kind: Kind

  /// Makes a change.
  package init(path: [UInt8], kind: Kind) {
    self.path = path
    self.kind = kind
  }
}
