// SPDX-License-Identifier: Apache-2.0
internal import CStowageShims
internal import Glibc

/// A time of a file: seconds since 1970 (may be negative) and nanoseconds 0…999 999 999.
package struct FileTime: Hashable, Sendable, Comparable {
  /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
  package var seconds: Int64
  /// Nanoseconds within the second.
  package var nanoseconds: Int64

  /// A time from its two parts.
  package init(seconds: Int64, nanoseconds: Int64) {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
  }

  /// 1970-01-01T00:00:00Z.
  package static let epoch = FileTime(seconds: 0, nanoseconds: 0)

  /// The present wall-clock time. See `clock_gettime(2)`.
  package static func now() -> FileTime {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return FileTime(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec))
  }

  /// Chronological order.
  package static func < (left: FileTime, right: FileTime) -> Bool {
    (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
  }
}

/// What a directory entry is.
package enum FileKind: Sendable, Hashable {
  case regular, directory, symbolicLink, characterDevice, blockDevice, fifo, socket, unknown

  /// The kind in the `S_IFMT` bits of a mode.
  package init(mode: UInt32) {
    switch mode & 0o170000 {
    case 0o100000: self = .regular
    case 0o040000: self = .directory
    case 0o120000: self = .symbolicLink
    case 0o020000: self = .characterDevice
    case 0o060000: self = .blockDevice
    case 0o010000: self = .fifo
    case 0o140000: self = .socket
    default: self = .unknown
    }
  }
}

/// The metadata `stat(2)` reports.
package struct FileStatus: Sendable, Hashable {
  /// File type and permission bits, as in `st_mode`.
  package var mode: UInt32
  /// Owner.
  package var uid: UInt32
  /// Group.
  package var gid: UInt32
  /// Size in bytes.
  package var size: Int64
  /// Allocated units of 512 bytes.
  package var blocks: Int64
  /// Inode number.
  package var inode: UInt64
  /// Device that holds the file.
  package var device: UInt64
  /// Device number of a device file.
  package var rdev: UInt64
  /// Number of hard links.
  package var linkCount: UInt64
  /// Last access.
  package var accessTime: FileTime
  /// Last change of content.
  package var modificationTime: FileTime
  /// Last change of the inode.
  package var changeTime: FileTime

  /// The file's type.
  package var kind: FileKind { FileKind(mode: mode) }
  /// Permission bits including set-ID and sticky (07777).
  package var permissions: UInt32 { mode & 0o7777 }
  /// True for a directory.
  package var isDirectory: Bool { mode & 0o170000 == 0o040000 }
  /// Major number of a device file.
  package var deviceMajor: UInt32 { stowage_major(rdev) }
  /// Minor number of a device file.
  package var deviceMinor: UInt32 { stowage_minor(rdev) }
  /// True if both describe one inode.
  package func isSameFile(as other: FileStatus) -> Bool { inode == other.inode && device == other.device }

  init(_ status: stat) {
    mode = UInt32(status.st_mode)
    uid = UInt32(status.st_uid)
    gid = UInt32(status.st_gid)
    size = Int64(status.st_size)
    blocks = Int64(status.st_blocks)
    inode = UInt64(status.st_ino)
    device = UInt64(status.st_dev)
    rdev = UInt64(status.st_rdev)
    linkCount = UInt64(status.st_nlink)
    accessTime = FileTime(seconds: Int64(status.st_atim.tv_sec), nanoseconds: Int64(status.st_atim.tv_nsec))
    modificationTime = FileTime(seconds: Int64(status.st_mtim.tv_sec), nanoseconds: Int64(status.st_mtim.tv_nsec))
    changeTime = FileTime(seconds: Int64(status.st_ctim.tv_sec), nanoseconds: Int64(status.st_ctim.tv_nsec))
  }
}

/// What `statx(2)` adds to `stat(2)`.
package struct ExtendedStatus: Sendable, Hashable {
  /// Identifier of the mount the file was reached through; nil before Linux 5.8.
  package var mountID: UInt64?
  /// Creation time; nil if the file system does not keep it.
  package var birthTime: FileTime?
  /// True for the root of a mount; nil if the kernel does not say (before Linux 5.8).
  package var isMountRoot: Bool?
  /// True if the immutable attribute is set.
  package var isImmutable: Bool
}

/// What `statfs(2)` reports.
package struct FileSystemInfo: Sendable, Hashable {
  /// Magic number of the file-system type, for example 0xEF53 (ext4).
  package var magic: UInt64
  /// Fundamental block size, bytes.
  package var blockSize: UInt64
  /// Total blocks.
  package var blocks: UInt64
  /// Free blocks.
  package var freeBlocks: UInt64
  /// Blocks free to unprivileged users.
  package var availableBlocks: UInt64
  /// Total inodes.
  package var files: UInt64
  /// Free inodes.
  package var freeFiles: UInt64
  /// Mount flags (`ST_RDONLY` …).
  package var flags: UInt64

  init(_ info: stowage_statfs) {
    magic = info.type
    blockSize = info.block_size
    blocks = info.blocks
    freeBlocks = info.free_blocks
    availableBlocks = info.available_blocks
    files = info.files
    freeFiles = info.free_files
    flags = info.flags
  }
}

/// Combines device numbers. See `makedev(3)`.
package func makeDevice(major: UInt32, minor: UInt32) -> UInt64 { stowage_makedev(major, minor) }
