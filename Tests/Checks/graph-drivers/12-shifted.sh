# SPDX-License-Identifier: Apache-2.0
# graph-drivers 12: a container with other IDs, by idmapped mounts and by a copy.
# drivers: overlay
small_stack; map="--uidmap 0:100000:65536 --gidmap 0:100000:65536"
sw create-container $map --id m img >/dev/null; L=$(container_layer m); p=$(sw mount m)
same "$(stat -c %u:%g "$p/a")" 100000:100000; same "$(stat -c %u:%g "$(content base)/a")" 0:0
if grep -E "$G/overlay/$L/mapped/[0-9]+ " /proc/self/mountinfo; then fail "a helping mount stays"; fi
sw unmount m >/dev/null
export _CONTAINERS_OVERLAY_DISABLE_IDMAP=yes
sw create-container $map --id n img >/dev/null; p=$(sw mount n); same "$(stat -c %u:%g "$p/a")" 100000:100000; sw unmount n >/dev/null
# The copy is an ordinary layer here, without generations; both containers' layers have their maps.
same "$(jq '[.[] | select(.uidmap)] | length' "$(records layers)")" 3
f=$(find "$G/overlay" -path '*/diff/a' -uid 100000) && [ -n "$f" ] || fail "no copy"
