// SPDX-License-Identifier: Apache-2.0

package import StowageModel

/// A driver that can present content with other owners than it has on disk.
package protocol OwnerShifting: GraphDriver {
  /// Whether layers can be presented with owners shifted to `maps`; empty maps ask in general.
  func supportsShifting(_ maps: IDMaps) -> Bool

  /// Whether what is written to a layer that is presented so is stored with the IDs of the host: the kernel does that, mount
  /// programs store those of the container.
  var storesHostIDs: Bool { get }
}

extension GraphDriver {
  /// The driver as one that shifts owners; `nil` if it never does.
  package var ownerShifting: (any OwnerShifting)? { self as? any OwnerShifting }
}
