# SPDX-License-Identifier: Apache-2.0
# store-semantics 6: which store has what.
# drivers: overlay
small_tar l1.tar; IS=$T/i; swi() { local c=$1; shift; sw "$c" --image-store "$IS" "$@"; }
L=$(swi import-layer -r -f l1.tar | first)
jq -e --arg l "$L" 'any(.id==$l)' "$(records layers "$IS")" >/dev/null; test -d "$IS/overlay/$L"; test -h "$IS/overlay/l/$(cat "$IS/overlay/$L/link")"
test -e "$G/overlay-layers/$L.tar-split.gz"
C=$(swi create-layer "$L" | first); jq -e --arg l "$C" 'any(.id==$l)' "$(records layers)" >/dev/null; test -d "$G/overlay/$C"
m=$("$SW" mount --graph "$IS" --run "$T/ri" -s overlay "$L"); test -e "$m/a"
"$SW" unmount --graph "$IS" --run "$T/ri" -s overlay "$L" >/dev/null; "$SW" shutdown --graph "$IS" --run "$T/ri" -s overlay
