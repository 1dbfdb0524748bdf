// SPDX-License-Identifier: Apache-2.0
package import Testing

/// What a suite or test needs or costs. `scripts/test-index` shows them beside each suite and test.
extension Tag {
  /// Needs root.
  @Tag package static var root: Self
  /// Runs other programs of the field, mostly on the same store: containers-storage, Podman, Buildah, Skopeo.
  @Tag package static var interop: Self
  /// Takes more than two seconds alone.
  @Tag package static var slow: Self
  /// Runs for several drivers.
  @Tag package static var driver: Self
}
