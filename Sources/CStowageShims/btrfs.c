/* SPDX-License-Identifier: Apache-2.0 */
#include "stowage_btrfs.h"

#include <errno.h>
#include <linux/btrfs.h>
#include <linux/btrfs_tree.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/ioctl.h>

_Static_assert(BTRFS_SUPER_MAGIC == 0x9123683E, "BTRFS_SUPER_MAGIC");
_Static_assert(BTRFS_FIRST_FREE_OBJECTID == 256, "BTRFS_FIRST_FREE_OBJECTID");
_Static_assert(BTRFS_IOC_SUBVOL_CREATE == 0x5000940e, "BTRFS_IOC_SUBVOL_CREATE");
_Static_assert(BTRFS_IOC_SNAP_CREATE_V2 == 0x50009417, "BTRFS_IOC_SNAP_CREATE_V2");
_Static_assert(BTRFS_IOC_SNAP_DESTROY == 0x5000940f, "BTRFS_IOC_SNAP_DESTROY");
_Static_assert(BTRFS_SUBVOL_RDONLY == 2, "BTRFS_SUBVOL_RDONLY");

static int set_name(char *to, size_t size, const char *name) {
  size_t length = strlen(name);
  if (length >= size) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memcpy(to, name, length + 1);
  return 0;
}

static int call_with_name(int directory, unsigned long request, const char *name) {
  struct btrfs_ioctl_vol_args arguments = {0};
  if (set_name(arguments.name, sizeof arguments.name, name) != 0) return -1;
  return ioctl(directory, request, &arguments);
}

int stowage_btrfs_subvol_create(int directory, const char *name) {
  return call_with_name(directory, BTRFS_IOC_SUBVOL_CREATE, name);
}

int stowage_btrfs_snap_create(int directory, const char *name, int source) {
  struct btrfs_ioctl_vol_args_v2 arguments = {.fd = source};
  if (set_name(arguments.name, sizeof arguments.name, name) != 0) return -1;
  return ioctl(directory, BTRFS_IOC_SNAP_CREATE_V2, &arguments);
}

int stowage_btrfs_snap_destroy(int directory, const char *name) {
  return call_with_name(directory, BTRFS_IOC_SNAP_DESTROY, name);
}

int stowage_btrfs_snap_destroy_by_id(int fd, uint64_t id) {
  struct btrfs_ioctl_vol_args_v2 arguments = {.flags = BTRFS_SUBVOL_SPEC_BY_ID, .subvolid = id};
  return ioctl(fd, BTRFS_IOC_SNAP_DESTROY_V2, &arguments);
}

int stowage_btrfs_child_subvolume(int fd, uint64_t parent, uint64_t *id) {
  /* The tree of roots has an item (parent, ROOT_REF, child) for each. */
  struct btrfs_ioctl_search_args arguments = {
      .key = {.tree_id = BTRFS_ROOT_TREE_OBJECTID,
              .min_objectid = parent, .max_objectid = parent,
              .min_type = BTRFS_ROOT_REF_KEY, .max_type = BTRFS_ROOT_REF_KEY,
              .min_offset = *id, .max_offset = UINT64_MAX,
              .max_transid = UINT64_MAX,
              .nr_items = 1}};
  if (ioctl(fd, BTRFS_IOC_TREE_SEARCH, &arguments) != 0) return -1;
  if (arguments.key.nr_items == 0) return 0;
  struct btrfs_ioctl_search_header header;
  memcpy(&header, arguments.buf, sizeof header);
  *id = header.offset;
  return 1;
}

int stowage_btrfs_subvol_id(int fd, uint64_t *id) {
  struct btrfs_ioctl_ino_lookup_args arguments = {.objectid = BTRFS_FIRST_FREE_OBJECTID};
  int status = ioctl(fd, BTRFS_IOC_INO_LOOKUP, &arguments);
  *id = arguments.treeid;
  return status;
}

int stowage_btrfs_get_subvol_flags(int fd, uint64_t *flags) {
  __u64 value = 0;
  int status = ioctl(fd, BTRFS_IOC_SUBVOL_GETFLAGS, &value);
  *flags = value;
  return status;
}

int stowage_btrfs_set_subvol_flags(int fd, uint64_t flags) {
  __u64 value = flags;
  return ioctl(fd, BTRFS_IOC_SUBVOL_SETFLAGS, &value);
}

int stowage_btrfs_quota_enable(int fd) {
  struct btrfs_ioctl_quota_ctl_args arguments = {.cmd = BTRFS_QUOTA_CTL_ENABLE};
  return ioctl(fd, BTRFS_IOC_QUOTA_CTL, &arguments);
}

int stowage_btrfs_qgroup_limit(int fd, uint64_t bytes) {
  struct btrfs_ioctl_qgroup_limit_args arguments = {.lim = {.flags = BTRFS_QGROUP_LIMIT_MAX_RFER, .max_rfer = bytes}};
  return ioctl(fd, BTRFS_IOC_QGROUP_LIMIT, &arguments);
}

int stowage_btrfs_qgroup_remove(int fd, uint64_t id) {
  struct btrfs_ioctl_qgroup_create_args arguments = {.create = 0, .qgroupid = id};
  return ioctl(fd, BTRFS_IOC_QGROUP_CREATE, &arguments);
}
