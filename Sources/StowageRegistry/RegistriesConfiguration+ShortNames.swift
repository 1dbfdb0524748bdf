// SPDX-License-Identifier: Apache-2.0

internal import StowageConfig
internal import StowageImage

extension RegistriesConfiguration {
  /// The whole names that a short name of an image in a store stands for, in the order in which they are looked for: its alias, that
  /// of an image made here, then one for each search registry (registries 2.5).
  ///
  /// - Returns: none for what is no name, or has a registry.
  public func wholeNames(of shortName: String) -> [String] {
    // What is no name of an image stands for none.
    guard ImageName.isShort(shortName), let name = try? ImageName(normalizing: shortName) else { return [] }
    var repositories = [aliases[name.path]?.value].compactMap { $0 } + ["localhost/\(name.path)"]
    repositories += searchRegistries.map { "\($0.value)/\(name.path)" }
    var whole: [String] = []
    for repository in repositories {
      let text = name.digest.map { "\(repository)@\($0)" } ?? "\(repository):\(name.tag ?? "latest")"
      // A registry may be written so that it is none in front of a name: then no image has such a name.
      guard let found = try? ImageName(normalizing: text), found.domain != "localhost" || text.hasPrefix("localhost/")
      else { continue }
      if !whole.contains("\(found)") { whole.append("\(found)") }
    }
    return whole
  }
}
