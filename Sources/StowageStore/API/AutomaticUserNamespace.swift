// SPDX-License-Identifier: Apache-2.0

public import StowageModel

/// A user namespace whose ID maps the store chooses: host IDs set aside for that purpose which no container of the store
/// has (store-semantics 12).
public struct AutomaticUserNamespace: Hashable, Sendable {
  /// The number of IDs, with no limits applied; 0 to find it out from the image.
  public var size: Int
  /// The smallest number of IDs, if ``size`` is 0.
  public var initialSize: Int
  /// A file of the host to read instead of the image's `/etc/passwd`; empty for that.
  public var passwdFile: String
  /// A file of the host to read instead of the image's `/etc/group`; empty for that.
  public var groupFile: String
  /// User ranges to be mapped as they are; they come last in the map. Nobody checks who else uses their host IDs.
  public var additionalUIDs: [IDMapping]
  /// Group ranges likewise.
  public var additionalGIDs: [IDMapping]

  /// States what is wanted; by default a namespace for the IDs of the image.
  public init(
    size: Int = 0, initialSize: Int = 0, passwdFile: String = "", groupFile: String = "",
    additionalUIDs: [IDMapping] = [], additionalGIDs: [IDMapping] = []
  ) {
    self.size = size
    self.initialSize = initialSize
    self.passwdFile = passwdFile
    self.groupFile = groupFile
    self.additionalUIDs = additionalUIDs
    self.additionalGIDs = additionalGIDs
  }
}
