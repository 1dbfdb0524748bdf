// SPDX-License-Identifier: Apache-2.0

/// A file system as known by its `statfs` number (graph-drivers 1.6).
package struct BackingFileSystem: Hashable, Sendable {
  /// The number; 32 bits are significant.
  package let magic: UInt32

  /// Wraps a number.
  package init(magic: UInt32) { self.magic = magic }

  /// The name shown in messages and in `status`, `<unknown>` for many.
  package var name: String { BackingFileSystem.names[magic] ?? "<unknown>" }

  /// Whether it is kept by another machine, so that IDs of a user namespace mean nothing there.
  package var isNetwork: Bool { BackingFileSystem.network.contains(magic) }

  /// Whether files can have blocks together (reflinks, snapshots).
  package var sharesBlocks: Bool { self == .btrfs || self == .xfs || self == BackingFileSystem.bcachefs }

  /// Whether the kernel cannot put an overlay on top of it.
  package var refusesOverlay: Bool {
    self == .overlay || self == .aufs || self == .ecryptfs
  }

  /// The kernel overlay.
  package static let overlay = BackingFileSystem(magic: 0x794C_7630)
  /// Any FUSE file system.
  package static let fuse = BackingFileSystem(magic: 0x6573_5546)
  /// XFS, the one with project quotas.
  package static let xfs = BackingFileSystem(magic: 0x5846_5342)
  /// Btrfs.
  package static let btrfs = BackingFileSystem(magic: 0x9123_683E)
  private static let bcachefs = BackingFileSystem(magic: 0xCA45_1A4E)
  private static let aufs = BackingFileSystem(magic: 0x6175_6673)
  private static let ecryptfs = BackingFileSystem(magic: 0xF15F)

  private static let names: [UInt32: String] = [
    0x6175_6673: "aufs", 0x9123_683E: "btrfs", 0x28CD_3D45: "cramfs", 0xF15F: "ecryptfs", 0xE0F5_E1E2: "erofs",
    0xEF53: "extfs", 0xF2F5_2010: "f2fs", 0x4750_4653: "gpfs", 0x72B6: "jffs2", 0x3153_464A: "jfs", 0x6969: "nfs",
    0x794C_7630: "overlayfs", 0x8584_58F6: "ramfs", 0x5265_4973: "reiserfs", 0x517B: "smb", 0x7371_7368: "squashfs",
    0x0102_1994: "tmpfs", 0xA501_FCF5: "vxfs", 0x5846_5342: "xfs", 0x2FC1_2FC1: "zfs", 0: "unsupported",
  ]

  /// ACFS, AFS, Ceph, CIFS, GPFS, IBRIX, KAFS, Lustre, NCP, NFS, NFSD, OCFS2, PANFS, PRLFS, SMB, SMB2, SNFS, VBOXSF,
  /// VXFS.
  private static let network: Set<UInt32> = [
    0x6163_6673, 0x5346_414F, 0x00C3_6400, 0xFF53_4D42, 0x4750_4653, 0x0131_11A8, 0x6B41_4653, 0x0BD0_0BD0, 0x564C,
    0x6969, 0x6E66_7364, 0x7461_636F, 0xAAD7_AAEA, 0x7C7C_6673, 0x517B, 0xFE53_4D42, 0xBEEF_DEAD, 0x786F_4256,
    0xA501_FCF5,
  ]
}
