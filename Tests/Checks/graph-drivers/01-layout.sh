# SPDX-License-Identifier: Apache-2.0
# graph-drivers 1 and 2: the layout of overlay layers, and whiteouts on disk.
# drivers: overlay
small_stack
list() { find "$G/overlay" -printf '%P %M %u:%g %l\n' | sed -E 's/[A-Z2-7]{26}/LINK/g; s/[0-9a-f]{64}/ID/g' | grep -Ev '^(tempdirs|[^ ]*/lower-layers) |^ ' | sort; }
list >ours; G=$T/g2 R=$T/r2; small_stack cs; list >theirs; diff theirs ours; G=$T/g
for l in base child; do same "$(wc -c <"$G/overlay/$l/link")" 26; done
same "$(cat "$G/overlay/child/lower")" "l/$(cat "$G/overlay/base/link")"
test ! -e "$G/overlay/base/lower"; test -d "$G/overlay/base/empty"
same "$(stat -c '%F %t:%T' "$G/overlay/child/diff/d1/x")" "character special file 0:0"
same "$(getfattr -n trusted.overlay.opaque --only-values "$G/overlay/child/diff/d2" 2>/dev/null)" y
