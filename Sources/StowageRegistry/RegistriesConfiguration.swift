// SPDX-License-Identifier: Apache-2.0

public import StowageConfig
internal import StowageImage
internal import StowageModel

/// What `registries.conf` and its drop-ins say about names, each file on top of those before (registries 2.1 and 2.2).
public struct RegistriesConfiguration: Hashable, Sendable {
  /// When a short name that may mean several registries is asked about.
  public enum ShortNameMode: String, Sendable {
    /// Always, and refused where nobody can be asked.
    case enforcing
    /// Where somebody can be asked; elsewhere all are tried.
    case permissive
    /// Never: all are tried.
    case disabled
  }

  /// `unqualified-search-registries`: where a name without a registry is looked for, in order.
  public private(set) var searchRegistries: [Setting<String>] = []
  /// `[aliases]`: the repository that a short name stands for, both without tag.
  public private(set) var aliases: [String: Setting<String>] = [:]
  /// `short-name-mode`
  public private(set) var shortNameMode = Setting(ShortNameMode.permissive)
  /// The files that were read, in the order in which they apply.
  public private(set) var files: [String] = []

  /// Nothing set.
  public init() {}

  /// Takes in a file; keys that are not needed yet are skipped, as unknown ones are.
  mutating func merge(_ root: ConfigurationTable, file: String) throws(ConfigurationProblem) {
    var decoder = TableDecoder(root, file: file)
    if let old = root["registries"], case .table = old.value.content {
      throw ConfigurationProblem(
        reason: "registries.conf must be in v2 format but is in v1", position: old.keyPosition)
    }
    try mergeRegistries(&decoder)
    try mergeMode(&decoder)
    try mergeAliases(&decoder)
    files.append(file)
  }

  /// Takes in a file of which only the aliases count.
  mutating func mergeAliases(of root: ConfigurationTable, file: String) throws(ConfigurationProblem) {
    var decoder = TableDecoder(root, file: file)
    try mergeAliases(&decoder)
    files.append(file)
  }

  private mutating func mergeRegistries(_ decoder: inout TableDecoder) throws(ConfigurationProblem) {
    var registries = searchRegistries
    try decoder.texts("unqualified-search-registries", &registries)
    searchRegistries = try registries.map { (registry) throws(ConfigurationProblem) in
      var name = registry.value
      while name.hasSuffix("/") { name.removeLast() }
      guard ImageName.isRegistry(name) else {
        throw ConfigurationProblem(
          reason: "Invalid unqualified-search-registries entry \(goQuoted(registry.value))", origin: registry.origin)
      }
      return Setting(name, from: registry.origin)
    }
  }

  private mutating func mergeMode(_ decoder: inout TableDecoder) throws(ConfigurationProblem) {
    var mode = Setting("")
    try decoder.string("short-name-mode", &mode)
    if mode.value.isEmpty { return }
    guard let known = ShortNameMode(rawValue: mode.value) else {
      throw ConfigurationProblem(reason: "invalid short-name mode: \(goQuoted(mode.value))", origin: mode.origin)
    }
    shortNameMode = Setting(known, from: mode.origin)
  }

  /// Each alias by itself; an empty one removes what an earlier file said.
  private mutating func mergeAliases(_ decoder: inout TableDecoder) throws(ConfigurationProblem) {
    var table: [String: Setting<String>]?
    try decoder.strings("aliases", &table)
    for (name, target) in (table ?? [:]).sorted(by: { $0.key < $1.key }) {
      guard ImageName.isShortRepository(name) else {
        throw ConfigurationProblem(
          reason: "alias \(goQuoted(name)): must be a name without registry, tag and digest", origin: target.origin)
      }
      guard target.value.isEmpty || ImageName.isWholeRepository(target.value) else {
        throw ConfigurationProblem(
          reason:
            "alias \(goQuoted(name)): \(goQuoted(target.value)) must be a name with registry, without tag and digest",
          origin: target.origin)
      }
      aliases[name] = target.value.isEmpty ? nil : target
    }
  }
}
