# SPDX-License-Identifier: Apache-2.0
# graph-drivers 15: a forced mask.
# drivers: overlay
# Debian's program does not write the kind of file.
small_tar a.tar; opts="--storage-opt overlay.mount_program=/usr/bin/fuse-overlayfs --storage-opt overlay.force_mask=700"
sw import-layer -r $opts --id base -f a.tar >/dev/null
same "$(find "$G/overlay/base/diff" -mindepth 1 -printf '%m\n' | sort -u)" 700; same "$(cat "$G/overlay/.has-mount-program")" true
(cd "$G/overlay/base/diff" && find . -mindepth 1 | sort | xargs getfattr -n user.containers.override_stat 2>/dev/null | sed -E "s/:(file|dir)\"/\"/") >ours
G=$T/g2 R=$T/r2; cs import-layer -r $opts --id base -f a.tar >/dev/null; (cd "$G/overlay/base/diff" && find . -mindepth 1 | sort | xargs getfattr -n user.containers.override_stat 2>/dev/null | sed -E "s/:(file|dir)\"/\"/") >theirs
diff theirs ours
