# SPDX-License-Identifier: Apache-2.0
# graph-drivers 18: subvolumes, a limit, a subvolume inside of a layer.
# drivers: btrfs
small_stack; same "$(btrfs subvolume list "$T" | grep -c subvolumes/)" 3
btrfs quota enable "$T"; sw create-layer --storage-opt btrfs.size=50m --id q child >/dev/null 2>&1 || sw create-layer --storage-opt size=50m --id q child >/dev/null
same "$(cat "$G/btrfs/quotas/q")" 52428800; btrfs qgroup show -re --raw "$T" | grep -q 52428800
for who in sw; do btrfs -q subvolume create "$G/btrfs/subvolumes/q/inner" >/dev/null; $who delete-layer q >/dev/null; test ! -e "$G/btrfs/subvolumes/q"; done
