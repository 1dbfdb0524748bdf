# SPDX-License-Identifier: Apache-2.0
# store-semantics 7: images of the graph root under an image store.
small_stack; IS=$T/i; swi() { local c=$1; shift; sw "$c" --image-store "$IS" "$@"; }
echo x >item; swi set-image-data -f item img key; same "$(swi get-image-data img key)" x
swi exists -i img; swi delete-container ctr >/dev/null; swi delete-image img >/dev/null
same "$(cat "$(records images)")" "[]"; same "$(sw layers -q)" ""
