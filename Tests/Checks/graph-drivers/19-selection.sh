# SPDX-License-Identifier: Apache-2.0
# graph-drivers 19: two drivers' directories, and options of others.
# drivers: overlay
printf '[storage]\n' >empty.conf; mkdir -p g/overlay/l g/btrfs/subvolumes; touch g/overlay/x g/btrfs/x
CONTAINERS_STORAGE_CONF=$T/empty.conf says "contains several valid graphdrivers" "$SW" status --graph "$G" --run "$R"
umount g/overlay 2>/dev/null || true; rm -r g
for o in foo.bar=1 overlay.bar=1; do refused sw layers --storage-opt $o; done
sw layers --storage-opt vfs.bar=1
