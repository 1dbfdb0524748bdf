/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Linux calls and constants that Swift's Glibc module does not export.
 *
 * Each function has the arguments and the return convention of the call it is named after (-1 and errno on failure),
 * no logic and no allocation. The constants have the values of the kernel's generic ABI (x86-64, AArch64, RISC-V);
 * shims.c asserts them against the system headers.
 */
#ifndef STOWAGE_SHIMS_H
#define STOWAGE_SHIMS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
  STOWAGE_O_PATH = 010000000,
  STOWAGE_O_TMPFILE_BIT = 020000000, /* or'ed with O_DIRECTORY */
  STOWAGE_O_NOATIME = 01000000,
  STOWAGE_AT_EMPTY_PATH = 0x1000,
  STOWAGE_AT_NO_AUTOMOUNT = 0x800,
  STOWAGE_AT_RECURSIVE = 0x8000,
  STOWAGE_AT_SYMLINK_NOFOLLOW = 0x100,
  STOWAGE_RENAME_NOREPLACE = 1,
  STOWAGE_RENAME_EXCHANGE = 2,
  STOWAGE_RENAME_WHITEOUT = 4,
  STOWAGE_SEEK_DATA = 3,
  STOWAGE_SEEK_HOLE = 4,
  STOWAGE_RESOLVE_NO_XDEV = 0x01,
  STOWAGE_RESOLVE_NO_MAGICLINKS = 0x02,
  STOWAGE_RESOLVE_NO_SYMLINKS = 0x04,
  STOWAGE_RESOLVE_BENEATH = 0x08,
  STOWAGE_RESOLVE_IN_ROOT = 0x10,
  STOWAGE_XATTR_CREATE = 1,
  STOWAGE_XATTR_REPLACE = 2,
  STOWAGE_MNT_FORCE = 1,
  STOWAGE_MNT_DETACH = 2,
  STOWAGE_UMOUNT_NOFOLLOW = 8,
};

enum {
  STOWAGE_FSOPEN_CLOEXEC = 1,
  STOWAGE_FSMOUNT_CLOEXEC = 1,
  STOWAGE_FSCONFIG_SET_FLAG = 0,
  STOWAGE_FSCONFIG_SET_STRING = 1,
  STOWAGE_FSCONFIG_SET_BINARY = 2,
  STOWAGE_FSCONFIG_SET_PATH = 3,
  STOWAGE_FSCONFIG_SET_PATH_EMPTY = 4,
  STOWAGE_FSCONFIG_SET_FD = 5,
  STOWAGE_FSCONFIG_CMD_CREATE = 6,
  STOWAGE_FSCONFIG_CMD_RECONFIGURE = 7,
  STOWAGE_OPEN_TREE_CLONE = 1,
  STOWAGE_MOVE_MOUNT_F_EMPTY_PATH = 0x04,
  STOWAGE_MOVE_MOUNT_T_EMPTY_PATH = 0x40,
  STOWAGE_MOUNT_ATTR_RDONLY = 0x01,
  STOWAGE_MOUNT_ATTR_NOSUID = 0x02,
  STOWAGE_MOUNT_ATTR_NODEV = 0x04,
  STOWAGE_MOUNT_ATTR_NOEXEC = 0x08,
  STOWAGE_MOUNT_ATTR_NOATIME = 0x10,
  STOWAGE_MOUNT_ATTR_STRICTATIME = 0x20,
  STOWAGE_MOUNT_ATTR_NODIRATIME = 0x80,
  STOWAGE_MOUNT_ATTR_IDMAP = 0x100000,
  STOWAGE_MOUNT_ATTR_NOSYMFOLLOW = 0x200000,
};

static const uint32_t STOWAGE_STATX_BASIC_STATS = 0x7ff;
static const uint32_t STOWAGE_STATX_BTIME = 0x800;
static const uint32_t STOWAGE_STATX_MNT_ID = 0x1000;
static const uint64_t STOWAGE_STATX_ATTR_IMMUTABLE = 0x10;
static const uint64_t STOWAGE_STATX_ATTR_MOUNT_ROOT = 0x2000;

static const uint64_t STOWAGE_CLONE_NEWNS = 0x00020000;
static const uint64_t STOWAGE_CLONE_NEWUSER = 0x10000000;
static const uint64_t STOWAGE_CLONE_FS = 0x00000200;

/* The kernel's struct statx. */
struct stowage_statx_time {
  int64_t tv_sec;
  uint32_t tv_nsec;
  int32_t reserved;
};

struct stowage_statx {
  uint32_t stx_mask;
  uint32_t stx_blksize;
  uint64_t stx_attributes;
  uint32_t stx_nlink;
  uint32_t stx_uid;
  uint32_t stx_gid;
  uint16_t stx_mode;
  uint16_t spare0;
  uint64_t stx_ino;
  uint64_t stx_size;
  uint64_t stx_blocks;
  uint64_t stx_attributes_mask;
  struct stowage_statx_time stx_atime, stx_btime, stx_ctime, stx_mtime;
  uint32_t stx_rdev_major, stx_rdev_minor;
  uint32_t stx_dev_major, stx_dev_minor;
  uint64_t stx_mnt_id;
  uint64_t spare3[13];
};

/* What Stowage reads of struct statfs. */
struct stowage_statfs {
  uint64_t type;
  uint64_t block_size;
  uint64_t blocks, free_blocks, available_blocks;
  uint64_t files, free_files;
  uint64_t flags;
};

struct stowage_mount_attr {
  uint64_t attr_set, attr_clr, propagation, userns_fd;
};

int stowage_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);
/* The call of Linux 6.6, whose flags may forbid following a link. */
int stowage_fchmodat2(int dirfd, const char *name, uint32_t mode, int flags);
int stowage_statx(int dirfd, const char *path, int flags, uint32_t mask, struct stowage_statx *result);
int stowage_fstatfs(int fd, struct stowage_statfs *result);
int stowage_statfs(const char *path, struct stowage_statfs *result);
int stowage_renameat2(int olddirfd, const char *oldpath, int newdirfd, const char *newpath, uint32_t flags);
ssize_t stowage_getdents64(int fd, void *buffer, size_t size);
ssize_t stowage_copy_file_range(int in, int64_t *in_offset, int out, int64_t *out_offset, size_t size, uint32_t flags);
int stowage_ficlone(int destination, int source);
/* Lets two files share a range if they have the same bytes there: 1 and the number of bytes, 0 if they differ, or -1. */
int stowage_dedupe_range(int source, int destination, uint64_t offset, uint64_t length, uint64_t *count);
/* Adds up the bytes of a file that other files have, too (FIEMAP); 0, or -1. */
int stowage_shared_bytes(int fd, uint64_t *bytes);
int stowage_syncfs(int fd);
void stowage_start_writing(int fd);
int stowage_pipe2(int fds[2], int flags);
int stowage_dup_cloexec(int fd);

ssize_t stowage_lgetxattr(const char *path, const char *name, void *value, size_t size);
ssize_t stowage_fgetxattr(int fd, const char *name, void *value, size_t size);
int stowage_lsetxattr(const char *path, const char *name, const void *value, size_t size, int flags);
int stowage_fsetxattr(int fd, const char *name, const void *value, size_t size, int flags);
ssize_t stowage_llistxattr(const char *path, char *list, size_t size);
ssize_t stowage_flistxattr(int fd, char *list, size_t size);

/* F_OFD_SETLK (wait 0) or F_OFD_SETLKW over the whole file; type is F_RDLCK, F_WRLCK or F_UNLCK. */
int stowage_ofd_setlk(int fd, int type, int wait);

int stowage_mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);
int stowage_umount2(const char *target, int flags);
int stowage_fsopen(const char *type, uint32_t flags);
int stowage_fsconfig(int fd, uint32_t command, const char *key, const void *value, int aux);
int stowage_fsmount(int fd, uint32_t flags, uint32_t attributes);
int stowage_open_tree(int dirfd, const char *path, uint32_t flags);
int stowage_move_mount(int from_dirfd, const char *from, int to_dirfd, const char *to, uint32_t flags);
int stowage_mount_setattr(int dirfd, const char *path, uint32_t flags, struct stowage_mount_attr *attributes);

int stowage_unshare(uint64_t flags);
/* Effective capabilities of the calling thread as one 64-bit set. */
int stowage_effective_capabilities(uint64_t *set);

uint64_t stowage_makedev(uint32_t major, uint32_t minor);
uint32_t stowage_major(uint64_t device);
uint32_t stowage_minor(uint64_t device);

/* posix_spawn with an optional working directory; descriptors 0, 1, 2 of the child are the three given ones.
   Every other descriptor of this process is expected to be close-on-exec. Returns an errno value, 0 for success. */
int stowage_spawn(pid_t *pid, const char *program, char *const argv[], char *const envp[], const char *directory,
                  int input, int output, int error);
char **stowage_environ(void);

#endif
