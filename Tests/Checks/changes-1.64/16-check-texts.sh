# SPDX-License-Identifier: Apache-2.0
# changes-1.64 16: a damaged file of a layer of an additional store; it is not repaired.
small_stack; sw delete-container ctr >/dev/null; umount g/overlay 2>/dev/null || true; mv g add
swa() { local c=$1; shift; sw "$c" --storage-opt "$DRIVER.imagestore=$T/add" "$@"; }
swa check; G=$T/add; printf 'A\n' >"$(content base)/a"; G=$T/g
find add -printf '%p %i %m %s %T@\n' | sort >before
s=0; swa check -q >out 2>&1 || s=$?; same $s 1
grep -qx ' read-only layer base: consume any trailer after the EOF marker: file integrity checksum failed for "./a"' out || fail "$(cat out)"
grep -qx ' read-only layer base: file integrity checksum failed for "./a"' out; grep -qx 'read-only image img:' out
s=0; swa check -f >out 2>&1 || s=$?; same $s 1
find add -printf '%p %i %m %s %T@\n' | sort | diff before -
