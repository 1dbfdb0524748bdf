# SPDX-License-Identifier: Apache-2.0
# changes-1.64 1: the list of ancestors of each layer.
# drivers: overlay
for mask in 022 077; do
  umask $mask; G=$T/g$mask R=$T/r$mask; small_stack; L=$(container_layer)
  test ! -e "$G/overlay/base/lower-layers"; printf base | cmp - "$G/overlay/child/lower-layers"; printf child:base | cmp - "$G/overlay/$L/lower-layers"
  same "$(stat -c %a "$G/overlay/child/lower-layers")" "$(stat -c %a "$G/overlay/child/lower")"
done
same "$(stat -c %a "$G/overlay/child/lower-layers")" 600
