// SPDX-License-Identifier: Apache-2.0

import StowageModel

/// A driver that keeps empty directories beside layers, which it makes again when they are needed.
package protocol SpaceYielding: GraphDriver {
  /// Removes such directories of layers that are not mounted, so that a full file system has inodes, and blocks, for a deletion.
  ///
  /// Needs layers exclusively. What cannot be removed stays, without complaint.
  func yieldSpace(of layers: [LayerLocation])
}

extension GraphDriver {
  /// The driver as one that has space to yield; `nil` if it has none.
  package var spaceYielding: (any SpaceYielding)? { self as? any SpaceYielding }
}
