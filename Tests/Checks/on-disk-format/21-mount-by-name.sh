# SPDX-License-Identifier: Apache-2.0
# on-disk-format 21: a layer is mounted and unmounted by its name.
# drivers: overlay
L=$(sw create-layer -n name | first)
m=$(sw mount name); findmnt "$m" >/dev/null; same "$(jq -r '.[0].id' "$R/overlay-layers/mountpoints.json")" "$L"
sw unmount name >/dev/null; if findmnt "$m" >/dev/null; then fail "still mounted"; fi
same "$(cat "$R/overlay-layers/mountpoints.json")" "[]"
