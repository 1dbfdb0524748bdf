// SPDX-License-Identifier: Apache-2.0

package import StowageModel

/// A driver with words of its own for archives that cannot be extracted (archive-and-diff 11.1).
package protocol ApplyErrorWording: GraphDriver {
  /// Adds the driver's words to an error of the extraction; errors that do not come from the archive stay as they are.
  func wrapApplyError(_ error: StorageError) -> StorageError
}

extension GraphDriver {
  /// The driver as one with words of its own; `nil` if errors are told as they are.
  package var applyErrorWording: (any ApplyErrorWording)? { self as? any ApplyErrorWording }
}
