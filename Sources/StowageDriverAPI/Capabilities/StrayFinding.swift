// SPDX-License-Identifier: Apache-2.0

package import StowageModel
package import SystemPackage

/// A driver that keeps more than layers in its home, and finds what is left there of what died.
package protocol StrayFinding: GraphDriver {
  /// What lies in the driver's home of the store at `root` and belongs to no layer, recorded or not, in no particular order;
  /// changes nothing. `recorded` are all layers with a record in that store. What a living process works on is left out.
  ///
  /// Needs `storage.lock` and layers exclusively, and may not be called for an additional image store.
  func strays(in root: FilePath, recorded: Set<LayerID>) throws(StorageError) -> [DriverStray]
}

extension GraphDriver {
  /// The driver as one that finds strays; `nil` if it keeps nothing but layers.
  package var strayFinding: (any StrayFinding)? { self as? any StrayFinding }
}

/// Something in a driver's home that belongs to no layer: a process that died, or another version, left it.
package struct DriverStray: Hashable, Sendable {
  /// What it is.
  package enum Kind: Hashable, Sendable {
    /// A short name that leads to no layer.
    case link
    /// The directory of a partial pull whose process is gone.
    case staging
    /// A directory in which the kernel's features were tried.
    case probe
    /// The temporary file of a replacement that was not finished.
    case temporary
  }

  /// The kind.
  package let kind: Kind
  /// Where it is.
  package let path: FilePath
  /// The root of the bin it can be moved into, on the same mount.
  package let bin: FilePath

  /// States a find.
  package init(_ kind: Kind, _ path: FilePath, bin: FilePath) {
    self.kind = kind
    self.path = path
    self.bin = bin
  }
}
