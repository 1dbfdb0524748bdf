# SPDX-License-Identifier: Apache-2.0
# graph-drivers 8: mounts of a split store.
# drivers: overlay
small_tar l1.tar; IS=$T/i; swi() { local c=$1; shift; sw "$c" --image-store "$IS" "$@"; }
swi import-layer -r --id base -f l1.tar >/dev/null; swi create-image --id img -n img base >/dev/null; swi create-container --id ctr img >/dev/null
test -d "$IS/overlay/base"; L=$(container_layer); test -d "$G/overlay/$L"
m=$(swi mount ctr); case $(findmnt -no FS-OPTIONS "$m") in *"$IS/overlay/"*) ;; *) fail "$(findmnt -no FS-OPTIONS "$m")" ;; esac; swi unmount ctr >/dev/null
m=$(swi mount -r img); same "$m" "$R/overlay/base/merged"; swi unmount img >/dev/null; test ! -e "$R/overlay/base"
swi delete-container ctr >/dev/null; swi delete-image img >/dev/null; same "$(find "$IS/overlay/l" -xtype l)" ""
