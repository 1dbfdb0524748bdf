// SPDX-License-Identifier: Apache-2.0

internal import StowageModel

/// A configuration file that was read.
public struct ConfigurationFile: Hashable, Sendable {
  /// Its path as it was looked up.
  public let path: String
  /// What is odd in it, in the order of the lines.
  public let remarks: [ConfigurationRemark]

  init(path: String, remarks: [ConfigurationRemark]) {
    self.path = path
    self.remarks = remarks.sorted { ConfigurationFile.place($0.origin) < ConfigurationFile.place($1.origin) }
  }

  /// Tells the log about the file, in the reference's words where it has some (configuration-and-idmaps 1.1).
  func log() {
    Log.debug("Read config file \(goQuoted(path))")
    let unknown = remarks.compactMap { remark in
      if case .unknownKey(let key) = remark.kind { goQuoted(key) } else { nil as String? }
    }
    if !unknown.isEmpty {
      Log.debug("Failed to decode the keys [\(unknown.joined(separator: " "))] from \(goQuoted(path))")
    }
    for remark in remarks { Log.debug("\(remark.origin): \(remark)") }
  }

  private static func place(_ origin: SettingOrigin) -> (Int, Int) {
    if case .file(_, let line, let column) = origin { (line, column) } else { (0, 0) }
  }
}
