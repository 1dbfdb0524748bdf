# SPDX-License-Identifier: Apache-2.0
# store-semantics 9: reading and writing layers takes the locks of both stores.
# drivers: overlay
IS=$T/i; swi() { local c=$1; shift; "$SW" "$c" --graph "$G" --run "$R" -s "$DRIVER" --image-store "$IS" "$@"; }
swi create-layer >/dev/null; a=$(xxd -p "$G/overlay-layers/layers.lock"); b=$(xxd -p "$IS/overlay-layers/layers.lock")
swi create-layer >/dev/null; [ "$a" != "$(xxd -p "$G/overlay-layers/layers.lock")" ]; [ "$b" != "$(xxd -p "$IS/overlay-layers/layers.lock")" ]
hold "$IS/overlay-layers/layers.lock" write
s=0; timeout 1 "$SW" layers --graph "$G" --run "$R" -s overlay --image-store "$IS" >/dev/null 2>&1 || s=$?; same $s 124
timeout 3 "$SW" layers --graph "$G" --run "$R" -s overlay >/dev/null; release
