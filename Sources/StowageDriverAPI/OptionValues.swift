// SPDX-License-Identifier: Apache-2.0

package import StowageFiles
package import StowageModel
import StowageSystem
package import SystemPackage

/// Sizes as written in options (graph-drivers 1.7).
package enum ByteSize {
  /// The number of bytes `text` stands for; multipliers are powers of 1024 (configuration-and-idmaps 5.5).
  ///
  /// - Throws: `invalidOption`: `invalid size: '<text>'` without a digit or for a negative number, `invalid suffix:
  ///   '<suffix>'`, `strconv.ParseFloat: parsing "<number>": invalid syntax`.
  package static func parse(_ text: String) throws(StorageError) -> Int64 {
    let invalid = StorageError(.invalidOption, "invalid size: '\(text)'")
    guard let end = text.lastIndex(where: { $0.isASCII && ($0.isNumber || $0 == "." || $0 == " ") }) else {
      throw invalid
    }
    let digits = text[end] == " " ? text[..<end] : text[...end]
    let suffix = text[text.index(after: end)...].lowercased()
    guard let number = Double(digits), number.isFinite else {
      throw StorageError(
        .invalidOption, "strconv.ParseFloat: parsing \(goQuoted(String(digits))): invalid syntax",
        plain: "invalid size: '\(text)'")
    }
    guard let factor = multiplier(suffix) else { throw StorageError(.invalidOption, "invalid suffix: '\(suffix)'") }
    let bytes = number * Double(factor)
    guard bytes >= 0, bytes < 9.2e18 else { throw invalid }
    return Int64(bytes)
  }

  /// A number of bytes for people: at most four digits and a unit, powers of 1000 (`5.243MB`).
  package static func decimal(_ bytes: UInt64) -> String {
    let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
    var (value, unit) = (Double(bytes), 0)
    while value >= 1000, unit < units.count - 1 { (value, unit) = (value / 1000, unit + 1) }
    let decimals = value >= 1000 ? 0 : value >= 100 ? 1 : value >= 10 ? 2 : 3
    let scale = [1.0, 10, 100, 1000][decimals]
    let digits = (value * scale).rounded() / scale
    let text = String(digits)
    return (text.hasSuffix(".0") ? String(text.dropLast(2)) : text) + units[unit]
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
    switch text.trimmedText.lowercased() {
    case "", "none": return .none
    case "filesystem": return .fileSystem
    default:
      throw StorageError(
        .invalidOption, "invalid sync mode for \(driver) driver: invalid sync mode: \(goQuoted(text))")
    }
  }
}

/// Directories named by options: additional image stores.
package enum AdditionalStore {
  /// Checks the path of an additional image store.
  ///
  /// - Parameter driver: whose option it is.
  /// - Throws: `invalidOption` with the texts of graph-drivers 4.1.
  package static func validated(_ text: String, driver: String = "overlay") throws(StorageError) -> FilePath {
    let path = FilePath(text).lexicallyNormalized()
    guard path.isAbsolute else {
      throw StorageError(
        .invalidOption, "\(driver): image path \(goQuoted(path.string)) is not absolute.  Can not be relative")
    }
    let status = try HostFiles.existing(path, otherwise: "\(driver): can't stat imageStore dir \(path)")
    guard status.kind == .directory else {
      throw StorageError(.invalidOption, "\(driver): image path \(goQuoted(path.string)) must be a directory")
    }
    return path
  }
}
