// SPDX-License-Identifier: Apache-2.0

public import StowageModel

/// The one rule for values that are paths: whole paths only, wherever they are set.
///
/// Variables are replaced where the reference replaces them (`graphroot`, `runroot`, `rootless_storage_path`;
/// configuration-and-idmaps 4.3). Anywhere else `$HOME/…` and `~/…` would be directories of that name below the working
/// directory, and each working directory would have a store of its own.
extension StoreSettings {
  /// Refuses paths that lead into the working directory. Only a root that an option of the command line gives may be relative:
  /// the shell has replaced what it knows, and who types it sees where he is.
  ///
  /// - Throws: `configuration`, naming key, value and where it is set.
  public func checkPlaces() throws(StorageError) {
    for (key, root) in [("runroot", runRoot), ("graphroot", graphRoot)] {
      try StoreSettings.check(key, root.value, root.origin, isExpanded: true)
    }
    try StoreSettings.check("imagestore", imageStore.value, imageStore.origin, isExpanded: false)
    // Drivers refuse additional stores that are not whole paths, or not there.
    for option in driverOptions {
      guard let program = StoreSettings.mountProgram(in: option.value) else { continue }
      try StoreSettings.check("mount_program", program, option.origin, isExpanded: false, isRoot: false)
    }
  }

  private static func check(
    _ key: String, _ value: String, _ origin: SettingOrigin, isExpanded: Bool, isRoot: Bool = true
  ) throws(StorageError) {
    if value.isEmpty { return }
    let bytes = Array(value.utf8)
    let isWhole = bytes[0] == 0x2F
    if isWhole, isExpanded || !namesVariable(bytes) { return }
    var isTyped = false
    if case .option = origin { isTyped = true }
    // A slash in front, or a relative root, says that whoever typed it means it.
    if isTyped, isWhole || (isRoot && bytes[0] != 0x7E && bytes[0] != 0x24) { return }
    let unknown = isExpanded && !isTyped ? "~ is" : "~ and variables are"
    let reason =
      isWhole ? "names a variable, which is not replaced there" : "is no absolute path (\(unknown) not replaced)"
    throw StorageError(
      .configuration, "\(key) \(goQuoted(value)) \(reason): write the whole path (\(origin))", path: value)
  }

  /// Whether a text has a `$` with a name behind it.
  private static func namesVariable(_ bytes: [UInt8]) -> Bool {
    zip(bytes, bytes.dropFirst()).contains { first, second in
      first == 0x24 && (second == 0x7B || second == 0x5F || (0x61...0x7A).contains(second | 0x20))
    }
  }

  /// The value of a driver option that names a program; `nil` for other options.
  private static func mountProgram(in option: String) -> String? {
    guard let equals = option.firstIndex(of: "=") else { return nil }
    let key = option[..<equals].trimmedText.lowercased()
    return key.split(separator: ".").last == "mount_program" ? option[option.index(after: equals)...].trimmedText : nil
  }
}
