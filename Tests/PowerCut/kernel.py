# SPDX-License-Identifier: Apache-2.0
"""Mounts, mount namespaces and loop devices, by system calls: starting a program for each would cost more than the call."""
import ctypes
import errno
import fcntl
import os
import signal
import struct

LIBC = ctypes.CDLL(None, use_errno=True)
MS_NOATIME, MS_BIND, MS_REC, MS_PRIVATE = 1 << 10, 1 << 12, 1 << 14, 1 << 18
MNT_DETACH = 2
CLONE_NEWNS = 0x20000
PR_SET_PDEATHSIG = 1
LOOP_CONFIGURE, LOOP_CTL_GET_FREE = 0x4C0A, 0x4C82
LO_FLAGS_AUTOCLEAR, LO_FLAGS_DIRECT_IO = 4, 16
# EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN are one number; 2: not even the log is written.
GOING_DOWN, WITHOUT_LOG = 0x8004587D, 2


def _checked(status, what):
    if status != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{os.strerror(number)} ({what})")


def mount(source, target, kind, flags=0, options=""):
    _checked(LIBC.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode()),
             f"mount {kind} on {target}")


def unmount(target, flags=0):
    _checked(LIBC.umount2(target.encode(), flags), f"unmount {target}")


def own_mounts():
    """Goes to a mount namespace of its own: what is mounted from here on ends with the last process that is in it."""
    _checked(LIBC.unshare(CLONE_NEWNS), "unshare")
    mount("none", "/", "none", MS_REC | MS_PRIVATE)


def end_with_parent():
    _checked(LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL), "prctl")


def mounts_below(directory):
    """Mount points at and below a directory, the one mounted last first."""
    with open("/proc/self/mountinfo", encoding="utf-8") as table:
        points = [line.split()[4] for line in table]
    return [point for point in reversed(points) if point == directory or point.startswith(directory + "/")]


def unmount_below(directory):
    for point in mounts_below(directory):
        try:
            unmount(point)
        except OSError as error:
            if error.errno == errno.EBUSY:
                unmount(point, MNT_DETACH)


def drop(directory):
    """Unmounts a file system whose content nobody wants any more; it need not be written, where the kernel can do without."""
    for point in mounts_below(directory):
        if point != directory:
            unmount(point, MNT_DETACH)
    try:
        handle = os.open(directory, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, GOING_DOWN, struct.pack("I", WITHOUT_LOG))
        finally:
            os.close(handle)
    except OSError:
        pass
    unmount_below(directory)


def attach(path):
    """A loop device on a file, past the page cache; it is detached with its last user. Returns its path and the user."""
    info = struct.pack("=5Q4I64s64s32s2Q", 0, 0, 0, 0, 0, 0, 0, 0, LO_FLAGS_AUTOCLEAR | LO_FLAGS_DIRECT_IO,
                       path.encode()[-63:], b"", b"", 0, 0)
    file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    control = os.open("/dev/loop-control", os.O_RDWR | os.O_CLOEXEC)
    try:
        while True:
            device = f"/dev/loop{fcntl.ioctl(control, LOOP_CTL_GET_FREE)}"
            user = os.open(device, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.ioctl(user, LOOP_CONFIGURE, struct.pack("=2I", file, 0) + info + bytes(64))
                return device, user
            except OSError as error:
                os.close(user)
                # Somebody else took it meanwhile.
                if error.errno != errno.EBUSY:
                    raise
    finally:
        os.close(control)
        os.close(file)


def mount_image(image, target, kind):
    device, user = attach(image)
    try:
        # Without the time of the last reading, which would be written now and then and bring other changes along.
        mount(device, target, kind, MS_NOATIME)
    finally:
        os.close(user)
