// SPDX-License-Identifier: Apache-2.0

package import StowageFiles
package import StowageModel
import StowageSystem
package import SystemPackage

/// Sizes as written in options (graph-drivers 1.7).
package enum ByteSize {
  /// The number of bytes `text` stands for; multipliers are powers of 1024.
  ///
  /// - Throws: `invalidOption`: `invalid size: '<text>'`.
  package static func parse(_ text: String) throws(StorageError) -> Int64 {
    let invalid = StorageError(.invalidOption, "invalid size: '\(text)'")
    let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    var suffix = text[digits.endIndex...]
    if suffix.first == " " { suffix.removeFirst() }
    guard let number = Double(digits), number.isFinite, let factor = multiplier(suffix.lowercased()) else {
      throw invalid
    }
    let bytes = number * Double(factor)
    guard bytes >= 0, bytes < 9.2e18 else { throw invalid }
    return Int64(bytes)
  }

  private static func multiplier(_ suffix: String) -> Int64? {
    var unit = Substring(suffix)
    if unit.isEmpty || unit == "b" { return 1 }
    guard let letter = unit.popFirst(), unit.isEmpty || unit == "b" || unit == "ib" else { return nil }
    return switch letter {
    case "k": 1 << 10
    case "m": 1 << 20
    case "g": 1 << 30
    case "t": 1 << 40
    case "p": 1 << 50
    default: nil
    }
  }
}

/// The option `sync` of a driver.
package enum SyncMode {
  /// The policy that `text` names: empty and `none`, or `filesystem`.
  ///
  /// - Throws: `invalidOption`: `invalid sync mode for <driver> driver: invalid sync mode: "<text>"`.
  package static func parse(_ text: String, driver: String) throws(StorageError) -> SyncPolicy {
    switch DriverOption.trimmed(text).lowercased() {
    case "", "none": return .none
    case "filesystem": return .fileSystem
    default:
      throw StorageError(
        .invalidOption, "invalid sync mode for \(driver) driver: invalid sync mode: \(goQuoted(text))")
    }
  }
}

/// Additional image stores named by options.
package enum AdditionalStore {
  /// Checks the path of an additional image store for the overlay driver.
  ///
  /// - Throws: `invalidOption` with the texts of graph-drivers 4.1.
  package static func validated(_ text: String) throws(StorageError) -> FilePath {
    let path = FilePath(text).lexicallyNormalized()
    guard path.isAbsolute else {
      throw StorageError(
        .invalidOption, "overlay: image path \(goQuoted(path.string)) is not absolute.  Can not be relative")
    }
    let status = try DriverFiles.existing(path, otherwise: "overlay: can't stat imageStore dir \(path)")
    guard status.kind == .directory else {
      throw StorageError(.invalidOption, "overlay: image path \(goQuoted(path.string)) must be a directory")
    }
    return path
  }
}
