# SPDX-License-Identifier: Apache-2.0
# store-semantics 3: mounts are counted; shutdown refuses while something is mounted.
small_stack; count() { jq -c '[.[].count]' "$R/$DRIVER-layers/mountpoints.json"; }
sw mount ctr >/dev/null; sw mount ctr >/dev/null; same "$(count)" "[2]"
says "a layer is mounted: layer is in use by a container" sw shutdown
sw unmount ctr >/dev/null; sw unmount ctr >/dev/null; same "$(count)" "[]"; sw unmount ctr >/dev/null
sw mount ctr >/dev/null; refused sw shutdown -f; sw shutdown -f
