# SPDX-License-Identifier: Apache-2.0
# store-semantics 15: a lost tar-split file, a tree without record, a layer that nothing uses.
small_tar a.tar
sw import-layer -r --id base -f a.tar >/dev/null; sw create-image --id img base >/dev/null; sw create-container --id ctr img >/dev/null
mv "$G/$DRIVER-layers/base.tar-split.gz" saved.gz
s=0; sw check >out 2>&1 || s=$?; same $s 1
grep -q '^ layer base: layer content incorrect digest' out || fail "$(cat out)"; grep -q '^image img:' out; grep -q '^container ctr:' out
mv saved.gz "$G/$DRIVER-layers/base.tar-split.gz"; sw check
mkdir -p "$G/$(layer_home)/extra"; s=0; sw check >out 2>&1 || s=$?
grep -q 'layer extra: layer in lower level storage driver not accounted for' out || fail "$(cat out)"
sw check -r >/dev/null; test ! -e "$G/$(layer_home)/extra"
sw create-layer --id old >/dev/null
jq 'map(if .id=="old" then .created="2020-01-01T00:00:00Z" else . end)' "$(records layers)" >new; cp new "$(records layers)"
s=0; sw check >out 2>&1 || s=$?; grep -q 'layer old: layer not referenced by any images or containers' out || fail "$(cat out)"
sw check -r >/dev/null; refused sw exists -l old; sw exists -l base; sw exists -c ctr
