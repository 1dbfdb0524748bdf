// SPDX-License-Identifier: Apache-2.0

/// How a layer's blob was compressed, with the numbers of `layers.json` (on-disk-format 4.2).
public enum Compression: Int, Hashable, Sendable, CaseIterable {
  /// Plain tar.
  case none = 0
  /// bzip2.
  case bzip2 = 1
  /// gzip.
  case gzip = 2
  /// xz.
  case xz = 3
  /// Zstandard.
  case zstd = 4

  /// The usual file name ending of such an archive, without a leading point; used in messages.
  public var tarExtension: String {
    switch self {
    case .none: "tar"
    case .bzip2: "tar.bz2"
    case .gzip: "tar.gz"
    case .xz: "tar.xz"
    case .zstd: "tar.zst"
    }
  }
}
