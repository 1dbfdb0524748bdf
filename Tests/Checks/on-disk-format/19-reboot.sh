# SPDX-License-Identifier: Apache-2.0
# on-disk-format 19: counts after a reboot, and after an unmount by others.
# drivers: overlay
L=$(sw create-layer | first)
count() { jq -r '.[0].count // 0' "$R/overlay-layers/mountpoints.json"; }
m=$(sw mount "$L"); umount "$m"; rm -r "$R"; cs mount "$L" >/dev/null; same "$(count)" 1
umount "$m"; sw mount "$L" >/dev/null; same "$(count)" 1 "a stale count"
sw unmount -f "$L" >/dev/null; same "$(cat "$R/overlay-layers/mountpoints.json")" "[]"
sw mount "$L" >/dev/null; sw mount "$L" >/dev/null; cs unmount -f "$L" >/dev/null; same "$(cat "$R/overlay-layers/mountpoints.json")" "[]"
