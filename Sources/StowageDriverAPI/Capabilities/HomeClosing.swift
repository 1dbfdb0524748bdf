// SPDX-License-Identifier: Apache-2.0

package import StowageModel

/// A driver that has something to end when a store is shut down.
package protocol HomeClosing: GraphDriver {
  /// Removes stale staging directories and the private mount of the home. Needs `storage.lock` exclusively.
  ///
  /// - Throws: `system`; what was done stays done.
  func cleanUp() throws(StorageError)
}

extension GraphDriver {
  /// The driver as one that has something to end; `nil` if it has nothing.
  package var homeClosing: (any HomeClosing)? { self as? any HomeClosing }
}
