// SPDX-License-Identifier: Apache-2.0

package import StowageModel

/// What an instance of an index runs on.
package struct Platform: Hashable, Sendable, CustomStringConvertible {
  /// As in `GOOS`, for instance `linux`.
  package let os: String
  /// As in `GOARCH`, for instance `amd64`.
  package let architecture: String
  /// Version of the architecture, for instance `v7`; empty if none is given.
  package let variant: String

  /// Makes a platform.
  package init(os: String, architecture: String, variant: String = "") {
    self.os = os
    self.architecture = architecture
    self.variant = variant
  }

  /// Reads the `platform` of a descriptor; nil if it is no object.
  package init?(_ value: JSONValue) {
    guard value.object != nil else { return nil }
    self.init(
      os: value["os"]?.string ?? "", architecture: value["architecture"]?.string ?? "",
      variant: value["variant"]?.string ?? "")
  }

  /// The platform of this build.
  package static let current: Platform = {
    #if arch(x86_64)
      Platform(os: "linux", architecture: "amd64")
    #elseif arch(arm64)
      Platform(os: "linux", architecture: "arm64", variant: "v8")
    #elseif arch(arm)
      Platform(os: "linux", architecture: "arm", variant: "v7")
    #elseif arch(i386)
      Platform(os: "linux", architecture: "386")
    #elseif arch(powerpc64le)
      Platform(os: "linux", architecture: "ppc64le")
    #elseif arch(riscv64)
      Platform(os: "linux", architecture: "riscv64")
    #else
      Platform(os: "linux", architecture: "s390x")
    #endif
  }()

  /// Variants that run each other's programs, the most capable first, by architecture (registries 4.5).
  private static let variants = ["arm": ["v8", "v7", "v6", "v5"], "arm64": ["v8"]]

  /// What else architectures are called.
  private static let aliases = [
    "x86_64": ("amd64", ""), "aarch64": ("arm64", ""), "armhf": ("arm", "v7"), "armel": ("arm", "v6"),
    "i386": ("386", ""),
  ]

  /// Reads `os/architecture[/variant]` or an architecture alone, as people write them; nil if it is neither.
  package init?(text: String) {
    var parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    if parts.count == 1 { parts.insert("linux", at: 0) }
    guard (2...3).contains(parts.count), !parts.contains("") else { return nil }
    let (architecture, variant) = Platform.aliases[parts[1]] ?? (parts[1], parts[1] == "arm" ? "v7" : "")
    self.init(os: parts[0], architecture: architecture, variant: parts.count == 3 ? parts[2] : variant)
  }

  /// How well something built for `other` runs here: nil not at all, 0 best (registries 4.5).
  package func preference(for other: Platform) -> Int? {
    guard os == other.os, architecture == other.architecture else { return nil }
    let table = Platform.variants[architecture] ?? []
    let tried: [String]
    if variant.isEmpty {
      tried = [""] + table
    } else if let index = table.firstIndex(of: variant) {
      tried = table[index...] + [""]
    } else {
      tried = [variant, ""]
    }
    return tried.firstIndex(of: other.variant)
  }

  /// Whether it stands for no platform at all, as of a build's attestations.
  package var isUnknown: Bool { os == "unknown" && architecture == "unknown" }

  /// Whether something is known of it.
  package var isGiven: Bool { !os.isEmpty && !architecture.isEmpty }

  /// `os/architecture` or `os/architecture/variant`.
  package var description: String { variant.isEmpty ? "\(os)/\(architecture)" : "\(os)/\(architecture)/\(variant)" }
}
