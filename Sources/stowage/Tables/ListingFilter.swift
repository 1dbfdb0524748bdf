import Glibc
// SPDX-License-Identifier: Apache-2.0
import StowageCommandLine
import StowageModel

/// One `--filter NAME=VALUE`.
struct ListingFilter {
  let name: String
  let value: String

  /// The option of a listing, with the names that it knows.
  static func option(_ names: [String]) -> OptionDefinition {
    OptionDefinition(
      "--filter", "-f", kind: .list, usage: "Only list what fits: " + names.joined(separator: ", ") + " with =VALUE",
      values: names.map { $0 + "=" })
  }

  /// - Throws: `usage` for a filter that is none of those known.
  static func read(_ texts: [String], known: [String]) throws(StorageError) -> [ListingFilter] {
    var filters: [ListingFilter] = []
    for text in texts {
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 2, known.contains(parts[0]) else {
        throw StorageError(
          .usage,
          "--filter \(goQuoted(text)): must be NAME=VALUE with one of the names \(known.joined(separator: ", "))")
      }
      filters.append(ListingFilter(name: parts[0], value: parts[1]))
    }
    return filters
  }

  /// The value as a choice.
  func flag() throws(StorageError) -> Bool {
    switch value.lowercased() {
    case "true", "t", "1": return true
    case "false", "f", "0": return false
    default: throw StorageError(.usage, "--filter \(name)=\(goQuoted(value)): must be true or false")
    }
  }

  /// Whether labels have the one that the value names, with its value if it gives one.
  func fits(labels: [String: String]) -> Bool {
    let parts = value.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let label = labels[parts[0]] else { return false }
    return parts.count == 1 || label == parts[1]
  }

  /// The value as a regular expression that is looked for anywhere in a text.
  func expression() throws(StorageError) -> (String) -> Bool {
    let expression: Expression
    do throws(StorageError) { expression = try Expression(value) } catch {
      throw StorageError(.usage, "--filter \(name)=\(goQuoted(value)): \(error.message)")
    }
    return { expression.fits($0) }
  }
}

/// Whether a pattern with `*`, `?` and `[…]` fits a name of an image, or one of its ends that begin behind a slash; the tag may
/// be left out.
func isReference(_ pattern: String, for name: String) -> Bool {
  let components = name.split(separator: "/", omittingEmptySubsequences: false)
  return components.indices.contains { index in
    let end = components[index...].joined(separator: "/")
    return fnmatch(pattern, end, FNM_PATHNAME) == 0 || fnmatch(pattern, splitName(end).repository, FNM_PATHNAME) == 0
  }
}

/// A name of an image as repository and tag; the tag is nil for names with a digest.
func splitName(_ name: String) -> (repository: String, tag: String?) {
  if let at = name.utf8.firstIndex(of: UInt8(ascii: "@")) { return (String(name[..<at]), nil) }
  guard let colon = name.utf8.lastIndex(of: UInt8(ascii: ":")),
    !name[colon...].utf8.contains(UInt8(ascii: "/"))
  else { return (name, nil) }
  return (String(name[..<colon]), String(name[name.utf8.index(after: colon)...]))
}

/// The option `--sort`.
struct ListingOrder<Key: RawRepresentable & CaseIterable & Sendable> where Key.RawValue == String {
  let option: OptionDefinition

  init(default key: Key) {
    option = OptionDefinition(
      "--sort", kind: .text(default: key.rawValue), usage: "Sort by: " + Self.known,
      values: Key.allCases.map(\.rawValue))
  }

  /// - Throws: `usage` for what cannot be sorted by.
  func key(_ options: OptionValues) throws(StorageError) -> Key {
    let word = options[text: option]
    guard let key = Key(rawValue: word) else {
      throw StorageError(.usage, "--sort \(goQuoted(word)): must be one of \(Self.known)")
    }
    return key
  }

  private static var known: String { Key.allCases.map(\.rawValue).joined(separator: ", ") }
}
