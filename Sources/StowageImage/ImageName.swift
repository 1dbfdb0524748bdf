// SPDX-License-Identifier: Apache-2.0

package import StowageModel

/// A name of an image, normalised as Podman does when it loads an archive (chunked-and-composefs 5.8).
///
/// `myname` is `localhost/myname:latest`, `docker.io/x` is `docker.io/library/x:latest`; with a tag and a digest the tag
/// is dropped.
package struct ImageName: Hashable, Sendable, CustomStringConvertible {
  /// Registry, for instance `localhost` or `quay.io:5000`.
  package let domain: String
  /// Path on the registry, for instance `library/busybox`.
  package let path: String
  /// Tag, nil if the name has a digest.
  package let tag: String?
  /// Manifest digest.
  package let digest: Digest?

  /// The full name, with tag or digest.
  package var description: String {
    if let digest { return "\(domain)/\(path)@\(digest)" }
    return "\(domain)/\(path):\(tag ?? "latest")"
  }

  /// Normalises a name as written by a person or an archive.
  ///
  /// - Throws: `invalidReference` if it is none.
  package init(normalizing text: String) throws(StorageError) {
    let parts = try ImageName.split(text)
    var path = parts.name
    var domain = "localhost"
    if let slash = path.utf8.firstIndex(of: UInt8(ascii: "/")) {
      let first = String(path[..<slash])
      if ImageName.namesRegistry(first) {
        domain = first
        path = String(path[path.utf8.index(after: slash)...])
      }
    }
    if domain == "index.docker.io" { domain = "docker.io" }
    if domain == "docker.io", !path.utf8.contains(UInt8(ascii: "/")) { path = "library/" + path }
    guard ImageName.isPath(path) else {
      let reason =
        path.utf8.contains { (0x41...0x5A).contains($0) } && ImageName.isPath(path.lowercased())
        ? "repository name must be lowercase" : "invalid reference format"
      throw ImageName.refused(text, reason)
    }
    guard domain.utf8.count + 1 + path.utf8.count <= 255 else {
      throw ImageName.refused(text, "repository name must not be more than 255 characters")
    }
    self.domain = domain
    self.path = path
    self.digest = parts.digest
    tag = parts.digest == nil ? parts.tag ?? "latest" : nil
  }

  /// Whether a text has a tag and no digest, as every entry of a docker-archive's `RepoTags` must.
  package static func isTagged(_ text: String) -> Bool {
    guard let parts = try? split(text) else { return false }
    return parts.tag != nil && parts.digest == nil
  }

  /// Whether a text is a name without a registry, which may stand for several whole names (registries 2.5).
  package static func isShort(_ text: String) -> Bool {
    // What is no name is no short one.
    guard let name = try? ImageName(normalizing: text) else { return false }
    return name.domain == "localhost" && !text.hasPrefix("localhost/")
  }

  /// Whether a text is a repository without a registry, as the name of an alias is (registries 2.2).
  package static func isShortRepository(_ text: String) -> Bool { isShort(text) && isUntagged(text) }

  /// Whether a text is a repository with a registry, as an alias stands for (registries 2.2).
  package static func isWholeRepository(_ text: String) -> Bool {
    // What is no name is no repository.
    guard isUntagged(text), (try? ImageName(normalizing: text)) != nil else { return false }
    return !isShort(text)
  }

  private static func isUntagged(_ text: String) -> Bool {
    // What cannot be taken apart is no name at all.
    guard let parts = try? split(text) else { return false }
    return parts.tag == nil && parts.digest == nil
  }

  /// Takes a name apart into repository, tag and digest.
  private static func split(
    _ text: String
  ) throws(StorageError) -> (name: String, tag: String?, digest: Digest?) {
    var name = text
    var digest: Digest?
    if let at = name.utf8.firstIndex(of: UInt8(ascii: "@")) {
      // What is no digest is told with the whole name.
      guard let parsed = try? Digest(parsing: String(name[name.utf8.index(after: at)...])) else {
        throw refused(text, "invalid reference format")
      }
      digest = parsed
      name = String(name[..<at])
    }
    var tag: String?
    if let colon = name.utf8.lastIndex(of: UInt8(ascii: ":")) {
      let rest = String(name[name.utf8.index(after: colon)...])
      // A colon before the last slash separates a port.
      if !rest.utf8.contains(UInt8(ascii: "/")) {
        guard isTag(rest) else { throw refused(text, "invalid reference format") }
        tag = rest
        name = String(name[..<colon])
      }
    }
    return (name, tag, digest)
  }

  /// Whether the first component of a name is a registry: it has a dot or a port, or is `localhost`, and is a host name.
  private static func namesRegistry(_ text: String) -> Bool {
    guard text == "localhost" || text.utf8.contains(where: { $0 == 0x2E || $0 == 0x3A }) else { return false }
    return isRegistry(text)
  }

  /// Whether a text is a host name, maybe with a port (`domain` of registries 1.1).
  package static func isRegistry(_ text: String) -> Bool {
    let parts = text.utf8.split(separator: 0x3A, maxSplits: 1, omittingEmptySubsequences: false)
    if parts.count == 2 {
      guard !parts[1].isEmpty, parts[1].allSatisfy({ (0x30...0x39).contains($0) }) else { return false }
    }
    guard let host = parts.first else { return false }
    return host.split(separator: 0x2E, omittingEmptySubsequences: false).allSatisfy { label in
      guard let first = label.first, let last = label.last, first != 0x2D, last != 0x2D else { return false }
      return label.allSatisfy { isAlphanumeric($0) || $0 == 0x2D }
    }
  }

  /// Whether every component is made of lower-case letters and digits, joined by `.`, `_`, `__` or dashes.
  private static func isPath(_ text: String) -> Bool {
    text.utf8.split(separator: 0x2F, omittingEmptySubsequences: false).allSatisfy { component in
      var separator: [UInt8] = []
      guard let last = component.last, isLowerAlphanumeric(last) else { return false }
      var isStart = true
      for byte in component {
        guard isLowerAlphanumeric(byte) else {
          guard byte == 0x2E || byte == 0x5F || byte == 0x2D else { return false }
          separator.append(byte)
          continue
        }
        if !separator.isEmpty {
          let isJoint = separator == [0x2E] || separator == [0x5F] || separator == [0x5F, 0x5F]
          guard !isStart, isJoint || separator.allSatisfy({ $0 == 0x2D }) else { return false }
          separator.removeAll(keepingCapacity: true)
        }
        isStart = false
      }
      return !isStart
    }
  }

  private static func isTag(_ text: String) -> Bool {
    guard let first = text.utf8.first, text.utf8.count <= 128 else { return false }
    guard isAlphanumeric(first) || first == 0x5F else { return false }
    return text.utf8.allSatisfy { isAlphanumeric($0) || $0 == 0x5F || $0 == 0x2E || $0 == 0x2D }
  }

  private static func isLowerAlphanumeric(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte)
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    isLowerAlphanumeric(byte) || (0x41...0x5A).contains(byte)
  }

  private static func refused(_ text: String, _ reason: String) -> StorageError {
    StorageError(.invalidReference, "image name \(goQuoted(text)): \(reason)")
  }
}
