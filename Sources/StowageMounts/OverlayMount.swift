// SPDX-License-Identifier: Apache-2.0

package import StowageModel
package import StowageSystem
package import SystemPackage

/// A kernel overlay mount.
package struct OverlayMount: TreeMount, Hashable {
  /// Lower directories, uppermost first, without the layer's own; at least one.
  package var lowers: [FilePath]
  /// The layer's own directory: upper directory, or uppermost lower directory if ``work`` is `nil`.
  package var upper: FilePath
  /// The work directory; `nil` for a read-only composition.
  package var work: FilePath?
  /// File-system options in order (`volatile`, `metacopy=on`, …), without mount flags.
  package var options: [String]
  /// Mount flags as of mount(2).
  package var flags: MountFlags
  /// The SELinux label, or empty.
  package var label: String
  /// Where to mount.
  package var target: FilePath
  /// Maps by which the owners in ``lowers`` (not in ``upper``) are shifted; empty for none.
  package var shift: IDMaps
  /// Those of ``lowers`` that are not shifted.
  package var unshifted: Set<FilePath>

  /// Describes a mount.
  package init(
    lowers: [FilePath], upper: FilePath, work: FilePath?, options: [String], flags: MountFlags, label: String,
    target: FilePath, shift: IDMaps = IDMaps(), unshifted: Set<FilePath> = []
  ) {
    self.lowers = lowers
    self.upper = upper
    self.work = work
    self.options = options
    self.flags = flags
    self.label = label
    self.target = target
    self.shift = shift
    self.unshifted = unshifted
  }

  /// All lower directories as the kernel gets them.
  package var allLowers: [FilePath] { work == nil ? [upper] + lowers : lowers }

  /// The option string of mount(2) (graph-drivers 7.1, step 18), whatever its length.
  package var data: String {
    var text = "lowerdir=" + allLowers.map(\.string).joined(separator: ":")
    if let work { text += ",upperdir=\(upper),workdir=\(work)" }
    return text + optionSuffix
  }

  /// Options and label with a leading comma each, as appended to the directories.
  package var optionSuffix: String {
    var text = options.map { "," + $0 }.joined()
    if !label.isEmpty { text += ",context=\"\(label)\"" }
    return text
  }

  /// Mounts it by the best means the kernel has; see ``OverlayMounter/mount(_:by:)``.
  package func perform() throws(StorageError) -> MountOutcome {
    try OverlayMounter.mount(self)
    return .done
  }

  /// Target, flags and option string.
  package var description: String {
    "mount overlay on \(target) flags 0x\(String(flags.rawValue, radix: 16)) data \(data)\(shift.isEmpty ? "" : " shifted")"
  }
}
