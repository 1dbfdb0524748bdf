/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "stowage_shims.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <signal.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef SYS_open_tree
#define SYS_open_tree 428
#define SYS_move_mount 429
#define SYS_fsopen 430
#define SYS_fsconfig 431
#define SYS_fsmount 432
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

_Static_assert(STOWAGE_O_PATH == O_PATH, "O_PATH");
_Static_assert((STOWAGE_O_TMPFILE_BIT | O_DIRECTORY) == O_TMPFILE, "O_TMPFILE");
_Static_assert(STOWAGE_O_NOATIME == O_NOATIME, "O_NOATIME");
_Static_assert(STOWAGE_AT_EMPTY_PATH == AT_EMPTY_PATH, "AT_EMPTY_PATH");
_Static_assert(STOWAGE_AT_SYMLINK_NOFOLLOW == AT_SYMLINK_NOFOLLOW, "AT_SYMLINK_NOFOLLOW");
_Static_assert(STOWAGE_SEEK_DATA == SEEK_DATA && STOWAGE_SEEK_HOLE == SEEK_HOLE, "SEEK_DATA");
_Static_assert(STOWAGE_RENAME_NOREPLACE == RENAME_NOREPLACE, "RENAME_NOREPLACE");
_Static_assert(STOWAGE_XATTR_CREATE == XATTR_CREATE, "XATTR_CREATE");
_Static_assert(sizeof(struct stowage_statx) == 256, "struct statx");

struct stowage_open_how {
  uint64_t flags, mode, resolve;
};

int stowage_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
  struct stowage_open_how how = {flags, mode, resolve};
  return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof how);
}

int stowage_fchmodat2(int dirfd, const char *name, uint32_t mode, int flags) {
  return (int)syscall(SYS_fchmodat2, dirfd, name, mode, flags);
}

int stowage_statx(int dirfd, const char *path, int flags, uint32_t mask, struct stowage_statx *result) {
  return (int)syscall(SYS_statx, dirfd, path, flags, mask, result);
}

static int copy_statfs(int status, const struct statfs *from, struct stowage_statfs *to) {
  if (status == 0) {
    to->type = (uint64_t)(uint32_t)from->f_type;
    to->block_size = (uint64_t)from->f_bsize;
    to->blocks = from->f_blocks;
    to->free_blocks = from->f_bfree;
    to->available_blocks = from->f_bavail;
    to->files = from->f_files;
    to->free_files = from->f_ffree;
    to->flags = (uint64_t)from->f_flags;
  }
  return status;
}

int stowage_fstatfs(int fd, struct stowage_statfs *result) {
  struct statfs buffer;
  return copy_statfs(fstatfs(fd, &buffer), &buffer, result);
}

int stowage_statfs(const char *path, struct stowage_statfs *result) {
  struct statfs buffer;
  return copy_statfs(statfs(path, &buffer), &buffer, result);
}

int stowage_renameat2(int olddirfd, const char *oldpath, int newdirfd, const char *newpath, uint32_t flags) {
  return (int)syscall(SYS_renameat2, olddirfd, oldpath, newdirfd, newpath, flags);
}

ssize_t stowage_getdents64(int fd, void *buffer, size_t size) { return syscall(SYS_getdents64, fd, buffer, size); }

ssize_t stowage_copy_file_range(int in, int64_t *in_offset, int out, int64_t *out_offset, size_t size,
                                uint32_t flags) {
  return syscall(SYS_copy_file_range, in, in_offset, out, out_offset, size, flags);
}

int stowage_ficlone(int destination, int source) { return ioctl(destination, FICLONE, source); }
int stowage_dedupe_range(int source, int destination, uint64_t offset, uint64_t length, uint64_t *count) {
  union {
    struct file_dedupe_range range;
    char space[sizeof(struct file_dedupe_range) + sizeof(struct file_dedupe_range_info)];
  } arguments;
  memset(&arguments, 0, sizeof arguments);
  arguments.range.src_offset = offset;
  arguments.range.src_length = length;
  arguments.range.dest_count = 1;
  struct file_dedupe_range_info *target = arguments.range.info;
  target->dest_fd = destination;
  target->dest_offset = offset;
  if (ioctl(source, FIDEDUPERANGE, &arguments.range) != 0) return -1;
  if (target->status < 0) {
    errno = -target->status;
    return -1;
  }
  *count = target->bytes_deduped;
  return target->status == FILE_DEDUPE_RANGE_SAME;
}
int stowage_shared_bytes(int fd, uint64_t *bytes) {
  enum { at_once = 128 };
  union {
    struct fiemap map;
    char space[sizeof(struct fiemap) + at_once * sizeof(struct fiemap_extent)];
  } arguments;
  uint64_t begin = 0;
  *bytes = 0;
  for (;;) {
    memset(&arguments.map, 0, sizeof arguments.map);
    arguments.map.fm_start = begin;
    arguments.map.fm_length = FIEMAP_MAX_OFFSET - begin;
    arguments.map.fm_extent_count = at_once;
    if (ioctl(fd, FS_IOC_FIEMAP, &arguments.map) != 0) return -1;
    if (arguments.map.fm_mapped_extents == 0) return 0;
    for (uint32_t i = 0; i < arguments.map.fm_mapped_extents; i++) {
      const struct fiemap_extent *extent = &arguments.map.fm_extents[i];
      if (extent->fe_flags & FIEMAP_EXTENT_SHARED) *bytes += extent->fe_length;
      if (extent->fe_flags & FIEMAP_EXTENT_LAST) return 0;
      /* A file system that does not get on would keep us for ever. */
      if (extent->fe_length == 0) return 0;
      begin = extent->fe_logical + extent->fe_length;
    }
  }
}
int stowage_syncfs(int fd) { return syncfs(fd); }
void stowage_start_writing(int fd) { (void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE); }
int stowage_pipe2(int fds[2], int flags) { return pipe2(fds, flags); }
int stowage_dup_cloexec(int fd) { return fcntl(fd, F_DUPFD_CLOEXEC, 3); }

ssize_t stowage_lgetxattr(const char *path, const char *name, void *value, size_t size) {
  return lgetxattr(path, name, value, size);
}
ssize_t stowage_fgetxattr(int fd, const char *name, void *value, size_t size) {
  return fgetxattr(fd, name, value, size);
}
int stowage_lsetxattr(const char *path, const char *name, const void *value, size_t size, int flags) {
  return lsetxattr(path, name, value, size, flags);
}
int stowage_fsetxattr(int fd, const char *name, const void *value, size_t size, int flags) {
  return fsetxattr(fd, name, value, size, flags);
}
ssize_t stowage_llistxattr(const char *path, char *list, size_t size) { return llistxattr(path, list, size); }
ssize_t stowage_flistxattr(int fd, char *list, size_t size) { return flistxattr(fd, list, size); }

int stowage_ofd_setlk(int fd, int type, int wait) {
  struct flock lock = {.l_type = (short)type, .l_whence = SEEK_SET};
  return fcntl(fd, wait ? F_OFD_SETLKW : F_OFD_SETLK, &lock);
}

int stowage_mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data) {
  return (int)syscall(SYS_mount, source, target, type, flags, data);
}
int stowage_umount2(const char *target, int flags) { return (int)syscall(SYS_umount2, target, flags); }
int stowage_fsopen(const char *type, uint32_t flags) { return (int)syscall(SYS_fsopen, type, flags); }
int stowage_fsconfig(int fd, uint32_t command, const char *key, const void *value, int aux) {
  return (int)syscall(SYS_fsconfig, fd, command, key, value, aux);
}
int stowage_fsmount(int fd, uint32_t flags, uint32_t attributes) {
  return (int)syscall(SYS_fsmount, fd, flags, attributes);
}
int stowage_open_tree(int dirfd, const char *path, uint32_t flags) {
  return (int)syscall(SYS_open_tree, dirfd, path, flags);
}
int stowage_move_mount(int from_dirfd, const char *from, int to_dirfd, const char *to, uint32_t flags) {
  return (int)syscall(SYS_move_mount, from_dirfd, from, to_dirfd, to, flags);
}
int stowage_mount_setattr(int dirfd, const char *path, uint32_t flags, struct stowage_mount_attr *attributes) {
  return (int)syscall(SYS_mount_setattr, dirfd, path, flags, attributes, sizeof *attributes);
}

int stowage_unshare(uint64_t flags) { return unshare((int)flags); }

int stowage_effective_capabilities(uint64_t *set) {
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {{0}};
  int status = (int)syscall(SYS_capget, &header, data);
  *set = (uint64_t)data[1].effective << 32 | data[0].effective;
  return status;
}

uint64_t stowage_makedev(uint32_t major, uint32_t minor) { return makedev(major, minor); }
uint32_t stowage_major(uint64_t device) { return major(device); }
uint32_t stowage_minor(uint64_t device) { return minor(device); }

int stowage_spawn(pid_t *pid, const char *program, char *const argv[], char *const envp[], const char *directory,
                  int input, int output, int error) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t none, all;
  int status = posix_spawn_file_actions_init(&actions);
  if (status != 0) return status;
  status = posix_spawnattr_init(&attributes);
  if (status != 0) {
    posix_spawn_file_actions_destroy(&actions);
    return status;
  }
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  if (status == 0) status = posix_spawn_file_actions_adddup2(&actions, input, 0);
  if (status == 0) status = posix_spawn_file_actions_adddup2(&actions, output, 1);
  if (status == 0) status = posix_spawn_file_actions_adddup2(&actions, error, 2);
  if (status == 0 && directory != NULL) status = posix_spawn_file_actions_addchdir_np(&actions, directory);
  if (status == 0) status = posix_spawnp(pid, program, &actions, &attributes, argv, envp);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return status;
}

char **stowage_environ(void) { return environ; }
