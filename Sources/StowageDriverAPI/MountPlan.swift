// SPDX-License-Identifier: Apache-2.0

package import StowageModel
package import StowageSystem
package import SystemPackage

/// What has to be done to present a layer, or to end that, as a value that can be printed and compared.
///
/// Made by a driver without changing anything; done by ``MountExecutor``.
package struct MountPlan: Hashable, Sendable, CustomStringConvertible {
  /// The steps, in order.
  package let steps: [MountStep]
  /// The absolute path at which the layer's tree is, after the steps.
  package let mountPoint: FilePath
  /// Whether the tree is a mount; if not, it is the layer's directory.
  package var hasMount: Bool {
    steps.contains { if case .limitSpace = $0 { false } else { true } }
  }

  /// Collects steps.
  package init(steps: [MountStep], mountPoint: FilePath) {
    self.steps = steps
    self.mountPoint = mountPoint
  }

  /// The mount alone, at another place; nothing if there is none.
  package func mounting(at place: FilePath) -> MountPlan {
    var mounts: [MountStep] = []
    for step in steps {
      switch step {
      case .mountOverlay(var mount):
        mount.target = place
        mounts.append(.mountOverlay(mount))
      case .mountWithProgram(var program):
        program.target = place
        mounts.append(.mountWithProgram(program))
      case .bindReadOnly(let tree, _): mounts.append(.bindReadOnly(tree, at: place))
      default: continue
      }
    }
    return MountPlan(steps: mounts, mountPoint: place)
  }

  /// One step a line.
  package var description: String {
    steps.map(\.description).joined(separator: "\n")
  }
}

/// A numeric owner.
package struct Owner: Hashable, Sendable {
  /// The user ID on the host.
  package let uid: UInt32
  /// The group ID on the host.
  package let gid: UInt32

  /// Pairs a user and a group.
  package init(uid: UInt32, gid: UInt32) {
    self.uid = uid
    self.gid = gid
  }

  /// 0:0.
  package static let root = Owner(uid: 0, gid: 0)
}

/// One step of a ``MountPlan``.
package enum MountStep: Hashable, Sendable, CustomStringConvertible {
  /// Ends the plan with success if `path` is already a mount of the kind; `readOnly` says what it is expected to be.
  case stopIfMounted(FilePath, viaProgram: Bool, readOnly: Bool)
  /// Makes a directory and its missing parents; an existing one stays as it is. New ones get the owner.
  case ensureDirectory(FilePath, mode: UInt16, owner: Owner)
  /// Gives a directory (itself only) an owner, if different.
  case setOwner(FilePath, Owner)
  /// Deletes a tree; missing is fine.
  case removeTree(FilePath)
  /// Mounts an overlay.
  case mountOverlay(OverlayMount)
  /// Runs a mount program.
  case mountWithProgram(MountProgram)
  /// Shows a tree read-only at another place.
  case bindReadOnly(FilePath, at: FilePath)
  /// Limits what a subvolume of btrfs may hold, in bytes.
  case limitSpace(FilePath, bytes: UInt64)
  /// Asks `fusermount3`, then `fusermount`, to unmount; if both fail, flushes the mount.
  case unmountProgram(FilePath)
  /// Unmounts every entry of a directory lazily, without complaint.
  case unmountChildren(FilePath)
  /// Unmounts lazily; not mounted or missing is fine.
  case unmount(FilePath)
  /// Puts a fresh directory in place of the mount point, through `<path>.1` and a rename; a missing one is made.
  case replaceMountPoint(FilePath)

  /// The step as a line for people.
  package var description: String {
    switch self {
    case .stopIfMounted(let path, _, let readOnly): "stop if mounted \(path)\(readOnly ? " (read-only)" : "")"
    case .ensureDirectory(let path, let mode, let owner):
      "mkdir \(path) mode \(String(mode, radix: 8)) owner \(owner.uid):\(owner.gid)"
    case .setOwner(let path, let owner): "chown \(owner.uid):\(owner.gid) \(path)"
    case .removeTree(let path): "remove \(path)"
    case .mountOverlay(let mount): "mount \(mount)"
    case .mountWithProgram(let program): "run \(program)"
    case .bindReadOnly(let tree, let path): "mount --bind -o ro \(tree) \(path)"
    case .limitSpace(let path, let bytes): "btrfs qgroup limit \(bytes) \(path)"
    case .unmountProgram(let path): "fusermount -u \(path)"
    case .unmountChildren(let path): "umount -l \(path)/*"
    case .unmount(let path): "umount -l \(path)"
    case .replaceMountPoint(let path): "replace \(path)"
    }
  }
}

/// A kernel overlay mount.
package struct OverlayMount: Hashable, Sendable, CustomStringConvertible {
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

  /// Describes a mount.
  package init(
    lowers: [FilePath], upper: FilePath, work: FilePath?, options: [String], flags: MountFlags, label: String,
    target: FilePath, shift: IDMaps = IDMaps()
  ) {
    self.lowers = lowers
    self.upper = upper
    self.work = work
    self.options = options
    self.flags = flags
    self.label = label
    self.target = target
    self.shift = shift
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

  /// Target, flags and option string.
  package var description: String {
    "overlay on \(target) flags 0x\(String(flags.rawValue, radix: 16)) data \(data)\(shift.isEmpty ? "" : " shifted")"
  }
}

/// An invocation of a mount program (graph-drivers 7.4).
package struct MountProgram: Hashable, Sendable, CustomStringConvertible {
  /// The executable.
  package var path: FilePath
  /// The option string after `-o`.
  package var data: String
  /// Where to mount.
  package var target: FilePath
  /// The directory to start the program in.
  package var home: FilePath

  /// Describes an invocation.
  package init(path: FilePath, data: String, target: FilePath, home: FilePath) {
    self.path = path
    self.data = data
    self.target = target
    self.home = home
  }

  /// The command line.
  package var description: String { "\(path) -o \(data) \(target)" }
}
