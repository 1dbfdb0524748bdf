// SPDX-License-Identifier: Apache-2.0

internal import StowageSystem
internal import SystemPackage

/// Texts of host paths.
enum Path {
  /// Removes `.`, `..`, and repeated and trailing slashes without looking at the disk; `.` if nothing is left.
  static func clean(_ path: String) -> String { walk(path) { _ in nil } ?? path }

  /// Replaces symbolic links by what they point to; a relative path stays relative. Nil if the path does not exist or
  /// has more than 255 links.
  static func resolvingLinks(_ path: String) -> String? {
    var links = 0
    var exists = true
    let out = walk(path) { candidate in
      // As the reference: what cannot be examined is not resolved further.
      guard exists, let status = try? Syscall.lstat(FilePath(candidate)) else {
        exists = false
        return nil
      }
      guard status.kind == .symbolicLink, let target = try? Syscall.readlink(FilePath(candidate)) else { return nil }
      links += 1
      if links > 255 { exists = false }
      return exists ? String(decoding: target, as: UTF8.self) : nil
    }
    return exists ? out : nil
  }

  private static func walk(_ path: String, target: (String) -> String?) -> String? {
    var absolute = path.utf8.first == 0x2F
    var done: [Substring] = []
    var rest = components(path)
    while let next = rest.popLast() {
      if next == "." { continue }
      if next == ".." {
        if let last = done.last, last != ".." { done.removeLast() } else if !absolute { done.append(next) }
        continue
      }
      let candidate = (absolute ? "/" : "") + (done + [next]).joined(separator: "/")
      if let target = target(candidate) {
        if target.utf8.first == 0x2F {
          absolute = true
          done = []
        }
        rest += components(target)
      } else {
        done.append(next)
      }
    }
    let joined = done.joined(separator: "/")
    if absolute { return "/" + joined }
    return joined.isEmpty ? "." : joined
  }

  /// The components, last one first.
  private static func components(_ path: String) -> [Substring] { path.split(separator: "/").reversed() }
}

/// Replaces references to variables (configuration-and-idmaps 4.3).
enum Expansion {
  /// `$UID` textually, then `$NAME` and `${NAME}`; then links are resolved if the path exists, else it is cleaned.
  static func path(_ text: String, environment: [String: String], uid: UInt32) -> String {
    let expanded = variables(replaceUID(text, uid), environment)
    return Path.resolvingLinks(expanded) ?? Path.clean(expanded)
  }

  private static func replaceUID(_ text: String, _ uid: UInt32) -> String {
    let pattern = Array("$UID".utf8)
    let bytes = Array(text.utf8)
    var out: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if bytes[index...].starts(with: pattern) {
        out += Array(String(uid).utf8)
        index += pattern.count
      } else {
        out.append(bytes[index])
        index += 1
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// Undefined names become empty; `${}`, an unclosed `${` and special names (`$$`, `$*`, `$1`) vanish; a `$` that no
  /// name follows stays.
  static func variables(_ text: String, _ environment: [String: String]) -> String {
    let bytes = Array(text.utf8)
    var out: [UInt8] = []
    var index = 0
    while index < bytes.count {
      guard bytes[index] == 0x24, index + 1 < bytes.count else {
        out.append(bytes[index])
        index += 1
        continue
      }
      let (name, length) = reference(bytes[(index + 1)...])
      if length == 0 { out.append(0x24) }
      if let name, let value = environment[name] { out += Array(value.utf8) }
      index += 1 + length
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// The name after a `$`, and how many bytes belong to the reference.
  private static func reference(_ rest: ArraySlice<UInt8>) -> (name: String?, length: Int) {
    guard let first = rest.first else { return (nil, 0) }
    if first == 0x7B {
      guard let close = rest.firstIndex(of: 0x7D) else { return (nil, 1) }
      let name = rest[(rest.startIndex + 1)..<close]
      return (name.isEmpty ? nil : String(decoding: name, as: UTF8.self), name.count + 2)
    }
    if isDigit(first) || Array("*#$@!?-".utf8).contains(first) { return (nil, 1) }
    let name = rest.prefix { isDigit($0) || $0 == 0x5F || (0x61...0x7A).contains($0 | 0x20) }
    return (name.isEmpty ? nil : String(decoding: name, as: UTF8.self), name.count)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}
