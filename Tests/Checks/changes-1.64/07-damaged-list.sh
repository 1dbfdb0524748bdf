# SPDX-License-Identifier: Apache-2.0
# changes-1.64 7: whatever the list says, the recorded chain is mounted.
# drivers: overlay
small_stack; L=$(container_layer)
for text in '' 'child:base\n' base nosuch; do
  printf "$text" >"$G/overlay/$L/lower-layers"; m=$(sw mount ctr); (cd "$m" && test -e a && test -e b && test ! -e d1/x) || fail "«$text»"; sw unmount ctr >/dev/null
done
