// SPDX-License-Identifier: Apache-2.0
internal import CStowageShims
internal import Glibc

/// Flags of `open(2)`. `O_CLOEXEC` is always added by the wrappers.
package struct OpenFlags: OptionSet, Sendable {
  /// The kernel's bits.
  package let rawValue: CInt
  /// Flags from the kernel's bits.
  package init(rawValue: CInt) { self.rawValue = rawValue }

  /// Read access only (the default).
  package static let readOnly = OpenFlags([])
  /// Write access only.
  package static let writeOnly = OpenFlags(rawValue: O_WRONLY)
  /// Read and write access.
  package static let readWrite = OpenFlags(rawValue: O_RDWR)
  /// Create the file if it is missing.
  package static let create = OpenFlags(rawValue: O_CREAT)
  /// With `create`: fail if it exists.
  package static let exclusive = OpenFlags(rawValue: O_EXCL)
  /// Cut to zero bytes.
  package static let truncate = OpenFlags(rawValue: O_TRUNC)
  /// Write at the end.
  package static let append = OpenFlags(rawValue: O_APPEND)
  /// Fail unless it is a directory.
  package static let directory = OpenFlags(rawValue: O_DIRECTORY)
  /// Fail with ELOOP if the last component is a symbolic link.
  package static let noFollow = OpenFlags(rawValue: O_NOFOLLOW)
  /// Do not block on FIFOs and devices.
  package static let nonBlocking = OpenFlags(rawValue: O_NONBLOCK)
  /// A handle of the location only, without access to content.
  package static let path = OpenFlags(rawValue: CInt(STOWAGE_O_PATH))
  /// An unnamed file in the given directory.
  package static let temporary = OpenFlags(rawValue: CInt(STOWAGE_O_TMPFILE_BIT) | O_DIRECTORY)
  /// Leave the access time alone (owner or root only).
  package static let noAccessTime = OpenFlags(rawValue: CInt(STOWAGE_O_NOATIME))
}

/// Flags of the calls that take a directory descriptor and a name.
package struct AtFlags: OptionSet, Sendable {
  /// The kernel's bits.
  package let rawValue: CInt
  /// Flags from the kernel's bits.
  package init(rawValue: CInt) { self.rawValue = rawValue }

  /// Act on a symbolic link itself.
  package static let noFollow = AtFlags(rawValue: AT_SYMLINK_NOFOLLOW)
  /// `linkat`: link to the target of a symbolic link.
  package static let follow = AtFlags(rawValue: AT_SYMLINK_FOLLOW)
  /// `unlinkat`: remove a directory.
  package static let removeDirectory = AtFlags(rawValue: AT_REMOVEDIR)
  /// An empty name means the descriptor itself.
  package static let emptyPath = AtFlags(rawValue: CInt(STOWAGE_AT_EMPTY_PATH))
  /// Whole mount tree (`open_tree`, `mount_setattr`).
  package static let recursive = AtFlags(rawValue: CInt(STOWAGE_AT_RECURSIVE))
}

/// How `openat2(2)` walks a path.
package struct ResolveFlags: OptionSet, Sendable {
  /// The kernel's bits.
  package let rawValue: UInt64
  /// Flags from the kernel's bits.
  package init(rawValue: UInt64) { self.rawValue = rawValue }

  /// Treat the directory descriptor as `/`, for absolute links and `..` too.
  package static let inRoot = ResolveFlags(rawValue: UInt64(STOWAGE_RESOLVE_IN_ROOT))
  /// Fail rather than leave the directory descriptor.
  package static let beneath = ResolveFlags(rawValue: UInt64(STOWAGE_RESOLVE_BENEATH))
  /// Refuse `/proc`-style magic links.
  package static let noMagicLinks = ResolveFlags(rawValue: UInt64(STOWAGE_RESOLVE_NO_MAGICLINKS))
  /// Refuse symbolic links.
  package static let noSymbolicLinks = ResolveFlags(rawValue: UInt64(STOWAGE_RESOLVE_NO_SYMLINKS))
  /// Refuse to cross mount points.
  package static let noCrossMount = ResolveFlags(rawValue: UInt64(STOWAGE_RESOLVE_NO_XDEV))
}

/// Flags of `renameat2(2)`.
package struct RenameFlags: OptionSet, Sendable {
  /// The kernel's bits.
  package let rawValue: UInt32
  /// Flags from the kernel's bits.
  package init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Fail with EEXIST if the new name exists.
  package static let noReplace = RenameFlags(rawValue: 1)
  /// Exchange both names.
  package static let exchange = RenameFlags(rawValue: 2)
  /// Leave an overlay whiteout at the old name.
  package static let whiteout = RenameFlags(rawValue: 4)
}

/// Flags of `mount(2)`.
package struct MountFlags: OptionSet, Sendable, Hashable {
  /// The kernel's bits.
  package let rawValue: UInt
  /// Flags from the kernel's bits.
  package init(rawValue: UInt) { self.rawValue = rawValue }

  /// `MS_RDONLY`.
  package static let readOnly = MountFlags(rawValue: 1)
  /// `MS_NOSUID`.
  package static let noSetID = MountFlags(rawValue: 2)
  /// `MS_NODEV`.
  package static let noDevices = MountFlags(rawValue: 4)
  /// `MS_NOEXEC`.
  package static let noExecute = MountFlags(rawValue: 8)
  /// `MS_SYNCHRONOUS`.
  package static let synchronous = MountFlags(rawValue: 16)
  /// `MS_REMOUNT`.
  package static let remount = MountFlags(rawValue: 32)
  /// `MS_MANDLOCK`.
  package static let mandatoryLocks = MountFlags(rawValue: 64)
  /// `MS_DIRSYNC`.
  package static let directorySync = MountFlags(rawValue: 128)
  /// `MS_NOATIME`.
  package static let noAccessTime = MountFlags(rawValue: 1024)
  /// `MS_NODIRATIME`.
  package static let noDirectoryAccessTime = MountFlags(rawValue: 2048)
  /// `MS_BIND`.
  package static let bind = MountFlags(rawValue: 4096)
  /// `MS_MOVE`.
  package static let move = MountFlags(rawValue: 8192)
  /// `MS_REC`.
  package static let recursive = MountFlags(rawValue: 16384)
  /// `MS_UNBINDABLE`.
  package static let unbindable = MountFlags(rawValue: 1 << 17)
  /// `MS_PRIVATE`.
  package static let `private` = MountFlags(rawValue: 1 << 18)
  /// `MS_SLAVE`.
  package static let slave = MountFlags(rawValue: 1 << 19)
  /// `MS_SHARED`.
  package static let shared = MountFlags(rawValue: 1 << 20)
  /// `MS_RELATIME`.
  package static let relativeAccessTime = MountFlags(rawValue: 1 << 21)
  /// `MS_STRICTATIME`.
  package static let strictAccessTime = MountFlags(rawValue: 1 << 24)
}

/// Flags of `umount2(2)`.
package struct UnmountFlags: OptionSet, Sendable {
  /// The kernel's bits.
  package let rawValue: CInt
  /// Flags from the kernel's bits.
  package init(rawValue: CInt) { self.rawValue = rawValue }

  /// Abort pending requests.
  package static let force = UnmountFlags(rawValue: 1)
  /// Detach now, clean up when no longer busy.
  package static let detach = UnmountFlags(rawValue: 2)
  /// Do not follow a symbolic link at the end.
  package static let noFollow = UnmountFlags(rawValue: 8)
}

/// Attributes of the new mount interface (`fsmount(2)`, `mount_setattr(2)`).
package struct MountAttributes: OptionSet, Sendable {
  /// The kernel's bits.
  package let rawValue: UInt64
  /// Flags from the kernel's bits.
  package init(rawValue: UInt64) { self.rawValue = rawValue }

  /// Read only.
  package static let readOnly = MountAttributes(rawValue: 0x01)
  /// Ignore set-ID bits.
  package static let noSetID = MountAttributes(rawValue: 0x02)
  /// No device files.
  package static let noDevices = MountAttributes(rawValue: 0x04)
  /// No execution.
  package static let noExecute = MountAttributes(rawValue: 0x08)
  /// No access times.
  package static let noAccessTime = MountAttributes(rawValue: 0x10)
  /// Owners are mapped through a user namespace.
  package static let idMapped = MountAttributes(rawValue: 0x100000)
}

/// Namespaces for `unshare(2)` and `setns(2)`.
package struct NamespaceFlags: OptionSet, Sendable {
  /// The kernel's bits.
  package let rawValue: UInt64
  /// Flags from the kernel's bits.
  package init(rawValue: UInt64) { self.rawValue = rawValue }

  /// Own mount table.
  package static let mount = NamespaceFlags(rawValue: STOWAGE_CLONE_NEWNS)
  /// Own user and group IDs.
  package static let user = NamespaceFlags(rawValue: STOWAGE_CLONE_NEWUSER)
  /// Own root and working directory (thread).
  package static let fileSystemContext = NamespaceFlags(rawValue: STOWAGE_CLONE_FS)
}

/// Behaviour of `setxattr(2)` towards an existing attribute.
package enum XattrMode: CInt, Sendable {
  /// Create or replace.
  case any = 0
  /// Fail with EEXIST if it exists.
  case create = 1
  /// Fail with ENODATA if it is missing.
  case replace = 2
}
