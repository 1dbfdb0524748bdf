# SPDX-License-Identifier: Apache-2.0
# store-semantics 11: an image store on another file system.
mkdir i; mount -t tmpfs tmpfs i; small_tar l1.tar; swi() { local c=$1; shift; sw "$c" --image-store "$T/i" "$@"; }
L=$(swi import-layer -f l1.tar | first); M=$(swi import-layer -r -f l1.tar | first)
swi diff -u "$L" | cmp - l1.tar; swi diff -u "$M" | cmp - l1.tar
