/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ioctls of btrfs that subvolumes as layers need (linux/btrfs.h), with the return convention of ioctl(2).
 *
 * Names are single components below the directory of the descriptor; one that does not fit is ENAMETOOLONG. Sizes are
 * bytes, identifiers those of the tree of roots.
 */
#ifndef STOWAGE_BTRFS_H
#define STOWAGE_BTRFS_H

#include <stdint.h>

/* The type that statfs(2) reports. */
static const uint64_t STOWAGE_BTRFS_MAGIC = 0x9123683E;
/* The inode of the root directory of every subvolume. */
static const uint64_t STOWAGE_BTRFS_ROOT_INODE = 256;
static const uint64_t STOWAGE_BTRFS_SUBVOL_RDONLY = 2;

int stowage_btrfs_subvol_create(int directory, const char *name);
/* A writable snapshot of the subvolume whose root is open as `source`. */
int stowage_btrfs_snap_create(int directory, const char *name, int source);
int stowage_btrfs_snap_destroy(int directory, const char *name);
/* The same by identifier, for a subvolume anywhere in the file system of `fd` (Linux 5.7). */
int stowage_btrfs_snap_destroy_by_id(int fd, uint64_t id);
/* The identifier of a subvolume directly inside of subvolume `parent`: the lowest from `*id` on. Returns 1 and stores it,
   or 0 if there is none, or -1. */
int stowage_btrfs_child_subvolume(int fd, uint64_t parent, uint64_t *id);
/* The identifier of the subvolume that holds an open file. */
int stowage_btrfs_subvol_id(int fd, uint64_t *id);
int stowage_btrfs_get_subvol_flags(int fd, uint64_t *flags);
int stowage_btrfs_set_subvol_flags(int fd, uint64_t flags);
/* Switches quotas on for the whole file system; no change if they are on. */
int stowage_btrfs_quota_enable(int fd);
/* Limits the referenced bytes of the subvolume that holds an open file. */
int stowage_btrfs_qgroup_limit(int fd, uint64_t bytes);
int stowage_btrfs_qgroup_remove(int fd, uint64_t id);

#endif
