# SPDX-License-Identifier: Apache-2.0
# store-semantics 8 (issue 1779 of containers/storage): the top layer of an image in the image store is seen.
# drivers: overlay
IS=$T/i; sw() { local c=$1; shift; "$SW" "$c" --graph "$G" --run "$R" -s "$DRIVER" --image-store "$IS" "$@"; }
mkdir o n; echo old >o/f; echo new >n/f; tar -C o -cf o.tar .; tar -C n -cf n.tar .
sw import-layer -r --id base -f o.tar >/dev/null; sw import-layer -r --id top -f n.tar base >/dev/null; sw create-image --id img -n img top >/dev/null
m=$(sw mount -r img); same "$(cat "$m/f")" new; case $m in "$R/overlay/"*) ;; *) fail "$m" ;; esac
test ! -e "$G/overlay/top"; case $(findmnt -no OPTIONS "$m") in *"$IS/overlay/top/diff"*) ;; *) fail "$(findmnt -no OPTIONS "$m")" ;; esac
sw unmount img >/dev/null
