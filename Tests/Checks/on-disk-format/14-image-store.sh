# SPDX-License-Identifier: Apache-2.0
# on-disk-format 14: what lies where with an image store, and no dangling links.
# drivers: overlay
demo_image; IMG=$T/i
swi() { local c=$1; shift; sw "$c" --image-store "$IMG" "$@"; }
swi load -q demo-docker-archive.tar >/dev/null; img=localhost/stowage-demo:latest
L=$(jq -r '.[0].layer' "$(records images "$IMG")"); C=$(swi create-container -n ctr $img | first)
X=$(jq -r '.[0].layer' "$(records containers)")
test -d "$IMG/overlay/$L"; test -e "$IMG/overlay-images/images.json"; test -d "$G/overlay/$X"; test ! -e "$G/overlay/$L"
test -h "$IMG/overlay/l/$(cat "$IMG/overlay/$L/link")"
pmi() { pm --storage-opt overlay.imagestore="$IMG" "$@"; }
same "$(pmi run --rm --network none $img echo inside)" inside
m=$(swi mount ctr); test -e "$m/srv/hello.txt"; swi unmount ctr >/dev/null
swi delete-container "$C"; swi delete-image $img >/dev/null
same "$(find "$IMG/overlay/l" "$G/overlay/l" -type l 2>/dev/null)" "" "links"
ln -s ../gone/diff "$IMG/overlay/l/ABCDEFGHIJKLMNOPQRSTUVWXYZ"; swi layers
