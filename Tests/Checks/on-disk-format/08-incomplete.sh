# SPDX-License-Identifier: Apache-2.0
# on-disk-format 8: a layer whose flag is true goes with all its files; the text "true" is no such flag.
small_tar a.tar
A=$(sw import-layer -r -f a.tar | first); B=$(sw import-layer -r -f a.tar | first)
sw set-layer-data -f a.tar "$A" key
jq --arg a "$A" --arg b "$B" 'map(if .id==$a then .flags={"incomplete":true} elif .id==$b then .flags={"incomplete":"true"} else . end)' \
  "$(records layers)" >new && cp new "$(records layers)"
same "$(sw layers -q)" "$B"
for x in "$G/$(layer_home)/$A" "$G/$DRIVER-layers/$A.tar-split.gz" "$G/$DRIVER-layers/$A"; do [ ! -e "$x" ] || fail "$x is still there"; done
[ -d "$G/$(layer_home)/$B" ] || fail "the second layer went"
same "$(jq -r '.[].id' "$(records layers)")" "$B"
