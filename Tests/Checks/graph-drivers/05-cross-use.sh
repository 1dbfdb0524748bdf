# SPDX-License-Identifier: Apache-2.0
# graph-drivers 5: what one program mounts, the other reports and unmounts.
small_stack
for pair in "sw cs" "cs sw"; do
  set -- $pair; $1 mount ctr >/dev/null; $2 mounted ctr | grep -q ctr || $2 mounted ctr; $2 unmount ctr >/dev/null
  if grep "$G/.*merged" /proc/self/mountinfo; then fail "a mount stays ($pair)"; fi
done
