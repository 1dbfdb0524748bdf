# SPDX-License-Identifier: Apache-2.0
# cli 13: damage of all kinds is reported in the reference's words; repair deletes it, and then the store is clean.
small_tar a.tar
sw import-layer -r --id d1 -f a.tar >/dev/null; sw create-image --id di1 -n di d1 >/dev/null; echo blob >item; sw set-image-data -f item di1 blob
sw create-container --id dc1 di1 >/dev/null; sw set-container-data -f item dc1 cd
sw import-layer -r --id healthy -f a.tar >/dev/null; sw create-image --id hi healthy >/dev/null; sw create-container --id hc hi >/dev/null
sw check >out 2>err; same "$(cat out err)" "" "a healthy store"
same "$(sw check -j)" '{"Layers":{},"ROLayers":{},"Images":{},"ROImages":{},"Containers":{}}'
says 'time: invalid duration "xyz"' sw check -m xyz
rm "$G/$DRIVER-images/di1/blob" "$G/$DRIVER-containers/dc1/cd"; printf 'HELLO\n' >"$(content d1)/a"; mkdir -p "$G/$(layer_home)/stray/diff"
s=0; sw check -q >out 2>err || s=$?; same $s 1
diff - out <<'TEXT'
layer d1:
 layer d1: consume any trailer after the EOF marker: file integrity checksum failed for "./a"
 layer d1: file integrity checksum failed for "./a"
layer stray:
 layer stray: layer in lower level storage driver not accounted for
image di1:
 image di1: data item "blob": image data item is missing
 layer d1: consume any trailer after the EOF marker: file integrity checksum failed for "./a"
 layer d1: file integrity checksum failed for "./a"
container dc1:
 container dc1: data item "cd": container data item is missing
 image di1: data item "blob": image data item is missing
 layer d1: consume any trailer after the EOF marker: file integrity checksum failed for "./a"
 layer d1: file integrity checksum failed for "./a"
TEXT
grep -qx "2 layer errors, 0 read-only layer errors, 1 image errors, 0 read-only image errors, 1 container errors" err || fail "$(cat err)"
s=0; sw check -j >out 2>/dev/null || s=$?; same $s 1
same "$(cat out)" '{"Layers":{"d1":[{},{}],"stray":[{}]},"ROLayers":{},"Images":{"di1":[{},{},{}]},"ROImages":{},"Containers":{"dc1":[{},{},{},{}]}}'
says "deleting image di1: image used by dc1: image is in use by a container" sw check -r
sw exists -c dc1; sw exists -i di1; test ! -e "$G/$(layer_home)/stray"
sw check -f >/dev/null; sw check >out 2>err; same "$(cat out err)" "" "after the repair"
refused sw exists -l d1; sw exists -c hc; sw exists -i hi; m=$(sw mount hc); test -e "$m/a"; sw unmount hc >/dev/null
