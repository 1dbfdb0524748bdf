// SPDX-License-Identifier: Apache-2.0

/// Where a value of the configuration comes from.
public enum SettingOrigin: Hashable, Sendable, CustomStringConvertible {
  /// Nobody set it.
  case builtIn
  /// A configuration file; line and column (in bytes) of the value, both from 1.
  case file(path: String, line: Int, column: Int)
  /// A variable of the environment.
  case environment(name: String)
  /// An option of the command line, for instance `--graph`.
  case option(name: String)

  /// `default`, `/etc/containers/storage.conf:3:11`, `$STORAGE_DRIVER`, `--graph`.
  public var description: String {
    switch self {
    case .builtIn: "default"
    case .file(let path, let line, let column): "\(path):\(line):\(column)"
    case .environment(let name): "$\(name)"
    case .option(let name): name
    }
  }
}

/// A value of the configuration together with where it comes from.
public struct Setting<Value: Hashable & Sendable>: Hashable, Sendable {
  /// What holds.
  public var value: Value
  /// Who said so.
  public var origin: SettingOrigin

  /// A value that nobody set, if no origin is given.
  public init(_ value: Value, from origin: SettingOrigin = .builtIn) {
    self.value = value
    self.origin = origin
  }
}
