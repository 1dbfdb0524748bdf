// SPDX-License-Identifier: Apache-2.0

/// Something in the configuration that is no error and that its author should know.
public struct ConfigurationRemark: Hashable, Sendable, CustomStringConvertible {
  enum Kind: Hashable, Sendable {
    /// A key nobody knows, with the names of its tables.
    case unknownKey(String)
    /// A key that the reference accepts in this place and does not obey.
    case ineffectiveKey(String, insteadUse: String)
    /// A list that extends the earlier one because of what a file before it said (configuration-and-idmaps 2.1).
    case appendedList(String, because: SettingOrigin)
    /// `rootless_storage_path` beside `graphroot`.
    case twoGraphRoots
    /// A root of the system that an ordinary user cannot write.
    case foreignRoot(String)
    /// `STORAGE_OPTS` replaced driver options of files.
    case replacedOptions(count: Int)
  }

  let kind: Kind
  /// Where it is.
  public let origin: SettingOrigin

  init(_ kind: Kind, origin: SettingOrigin) {
    self.kind = kind
    self.origin = origin
  }

  /// One sentence without the place.
  public var description: String {
    switch kind {
    case .unknownKey(let key): "unknown key \"\(key)\""
    case .ineffectiveKey(let key, let other): "\"\(key)\" has no effect, use \"\(other)\""
    case .appendedList(let key, let earlier):
      "the list \"\(key)\" extends the earlier one, because of \"append = true\" at \(earlier)"
    case .twoGraphRoots:
      "Both rootless_storage_path and graphroot are set, using graphroot setting only, rootless_storage_path is "
        + "deprecated and should be removed from the config"
    case .foreignRoot(let path): "\(path) is not this user's to write, so the user's own directory is used"
    case .replacedOptions(let count): "\(count) configured driver option\(count == 1 ? " is" : "s are") replaced"
    }
  }

  /// Whether it is said at every command, not only to those who ask.
  var isWarning: Bool {
    switch kind {
    case .ineffectiveKey, .twoGraphRoots: true
    case .unknownKey, .appendedList, .foreignRoot, .replacedOptions: false
    }
  }
}
