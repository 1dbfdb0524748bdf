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

  /// How well something built for `other` runs here: nil not at all, 0 best.
  package func preference(for other: Platform) -> Int? {
    guard os == other.os, architecture == other.architecture else { return nil }
    if variant == other.variant { return 0 }
    if other.variant.isEmpty { return 1 }
    // arm v7 runs v6 and v5; a plain amd64 or arm64 takes what carries the base variant.
    let lower = ["v8": ["v8"], "v7": ["v7", "v6", "v5"], "": ["v1", "v8"]][variant] ?? []
    return lower.firstIndex(of: other.variant).map { $0 + 2 }
  }

  /// `os/architecture` or `os/architecture/variant`.
  package var description: String { variant.isEmpty ? "\(os)/\(architecture)" : "\(os)/\(architecture)/\(variant)" }
}
