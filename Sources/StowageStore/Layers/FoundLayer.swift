// SPDX-License-Identifier: Apache-2.0

internal import StowageDriverAPI
internal import StowageModel

/// A layer as resolved under the lock: its record and where it is.
struct FoundLayer: Sendable {
  /// The record.
  var record: LayerRecord
  /// The location, from the record.
  let location: LayerLocation

  /// The identifier.
  var id: LayerID { record.id }

  /// The other of the two places of a split store.
  var otherPlace: LayerLocation.Role { location.role == .graphRoot ? .imageStore : .graphRoot }
}
