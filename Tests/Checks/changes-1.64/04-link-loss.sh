# SPDX-License-Identifier: Apache-2.0
# changes-1.64 4 to 6: lost and dangling links.
# drivers: overlay
small_stack cs; small() { for d in "$G"/overlay/*/link; do test -h "$G/overlay/l/$(cat "$d")" || fail "no link of $d"; done; }
rm "$G"/overlay/l/*; m=$(sw mount ctr); test -e "$m/b"; sw unmount ctr >/dev/null; small; cs mount ctr 2>cs.err >/dev/null; cs unmount ctr >/dev/null
if grep -i 'missing\|recreat' cs.err; then fail "the reference had to repair"; fi
rm "$G/overlay/child/link"; sw create-layer --id more child >/dev/null; same "$(find "$G/overlay/l" -lname ../child/diff | wc -l)" 1
ln -s ../gone/diff "$G/overlay/l/ABCDEFGHIJKLMNOPQRSTUVWXYZ"; rm "$G/overlay/l/$(cat "$G/overlay/base/link")"
sw mount ctr >/dev/null; sw unmount ctr >/dev/null; test ! -h "$G/overlay/l/ABCDEFGHIJKLMNOPQRSTUVWXYZ"; small; cs mount ctr >/dev/null; cs unmount ctr >/dev/null
