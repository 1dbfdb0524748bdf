# SPDX-License-Identifier: Apache-2.0
# on-disk-format 17: containers of a transient store are in the run root, and what a reboot leaves is collected.
small_tar a.tar
sw import-layer -r --id base -f a.tar >/dev/null; sw create-image --id img base >/dev/null
sw create-container --id stable img >/dev/null
swt() { local c=$1; shift; sw "$c" --transient-store "$@"; }
swt create-container --id ctr -n ctr img >/dev/null
X=$(swt container -j ctr | jq -r '.[0].layer')
for f in containers/volatile-containers.json containers/containers.lock layers/volatile-layers.json; do test -e "$R/$DRIVER-$f" || fail "no $f in the run root"; done
test -d "$G/$(layer_home)/$X"; test ! -e "$R/$DRIVER-layers/layers.lock"
refused sw exists -c ctr; same "$(sw containers -j | jq -r ".[].id")" stable
sw gc >/dev/null; swt exists -c ctr
# One that is not transient next to it loses nothing.
sw delete-container stable; swt exists -c ctr; refused sw delete-layer base
rm -r "$R"
refused swt exists -c ctr; sw gc >/dev/null
test ! -e "$G/$(layer_home)/$X" || fail "the tree stays"
