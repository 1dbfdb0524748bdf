// SPDX-License-Identifier: Apache-2.0

/// What the kernel can do, as far as it was asked when the driver was made.
package struct OverlayFeatures: Hashable, Sendable {
  /// Whether mounts with the configured options copy up metadata only.
  var usesMetacopy = false
  /// Whether a layer's own directory is exactly its difference.
  var nativeDiff = NativeDiff.unsupported("a mount program is in use")
}

/// Whether differences can be read from `diff` directories without presenting trees.
package enum NativeDiff: Hashable, Sendable {
  /// They can.
  case supported
  /// They cannot, for a reason.
  case unsupported(String)

  /// True for ``supported``.
  var isSupported: Bool { self == .supported }
}
