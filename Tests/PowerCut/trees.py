# SPDX-License-Identifier: Apache-2.0
"""Trees of files as dictionaries: path to what is there."""
import hashlib
import os
import stat

OPAQUE = "trusted.overlay.opaque"


def read(top, skip_times=False):
    """Everything below a directory; raises FileNotFoundError if there is none."""
    found = {"": describe(top, os.lstat(top), True)}
    waiting = [""]
    while waiting:
        parent = waiting.pop()
        with os.scandir(f"{top}/{parent}" if parent else top) as entries:
            for entry in entries:
                path = f"{parent}/{entry.name}" if parent else entry.name
                try:
                    status = entry.stat(follow_symlinks=False)
                except FileNotFoundError:
                    # Overlay lists what a layer hides that hides nothing, and then has not got it.
                    continue
                found[path] = describe(entry.path, status, skip_times)
                if stat.S_ISDIR(status.st_mode):
                    waiting.append(path)
    return found


def describe(path, status, skip_times):
    """Kind, mode, owners, and content; times of directories change with what is in them and do not count."""
    common = (oct(status.st_mode), status.st_uid, status.st_gid)
    if stat.S_ISDIR(status.st_mode):
        return (*common, "opaque" if is_opaque(path) else "")
    time = 0 if skip_times else status.st_mtime_ns
    if stat.S_ISREG(status.st_mode):
        with open(path, "rb") as file:
            return (*common, time, status.st_size, hashlib.blake2b(file.read(), digest_size=12).hexdigest())
    if stat.S_ISLNK(status.st_mode):
        return (*common, time, os.readlink(path))
    return (*common, time, status.st_rdev)


def is_opaque(path):
    try:
        return os.getxattr(path, OPAQUE, follow_symlinks=False) == b"y"
    except OSError:
        return False


def is_whiteout(entry):
    return stat.S_ISCHR(int(entry[0], 8)) and entry[-1] == 0


def union(trees):
    """What overlay shows of trees, the lowest first."""
    whole = {}
    for tree in trees:
        for path, entry in sorted(tree.items()):
            directory = stat.S_ISDIR(int(entry[0], 8))
            if path and (not directory or entry[-1] == "opaque" or not is_directory(whole.get(path))):
                for old in [old for old in whole if old == path or old.startswith(path + "/")]:
                    del whole[old]
            if not is_whiteout(entry):
                whole[path] = (*entry[:-1], "") if directory else entry
    return whole


def is_directory(entry):
    return entry is not None and stat.S_ISDIR(int(entry[0], 8))


def difference(expected, found):
    """Nothing if two trees are equal, else the first paths that are not."""
    paths = sorted(path for path in expected.keys() | found.keys() if expected.get(path) != found.get(path))
    return "; ".join(f"/{path}: {expected.get(path)} became {found.get(path)}" for path in paths[:3])


def digest(tree):
    return hashlib.blake2b(repr(sorted(tree.items())).encode(), digest_size=12).hexdigest()
