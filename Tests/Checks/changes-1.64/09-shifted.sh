# SPDX-License-Identifier: Apache-2.0
# changes-1.64 9: a shifted container leaves no helping mount, and older generations of a layer are seen.
# drivers: overlay
small_stack; sw create-container --uidmap 0:100000:65536 --gidmap 0:100000:65536 --id m img >/dev/null; L=$(container_layer m)
cp -a "$G/overlay/child/diff" "$G/overlay/child/diff1"; echo 1 >"$G/overlay/child/diff1/of-diff1"
p=$(sw mount m); if grep "$G/overlay/$L/mapped/" /proc/self/mountinfo; then fail "helping mounts"; fi
same "$(stat -c %u "$p/a")" 100000; same "$(cat "$p/of-diff1")" 1; sw unmount m >/dev/null
if grep "$G/overlay/$L/mapped/" /proc/self/mountinfo; then fail "helping mounts"; fi
