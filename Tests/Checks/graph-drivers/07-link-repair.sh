# SPDX-License-Identifier: Apache-2.0
# graph-drivers 7: lost links come back under their old names; so does a lost link file.
# drivers: overlay
small_stack; rm "$G"/overlay/l/*
m=$(sw mount ctr); test -e "$m/b"; sw unmount ctr >/dev/null
for d in "$G"/overlay/*/link; do test -h "$G/overlay/l/$(cat "$d")" || fail "no link for $d"; done
old=$(cat "$G/overlay/child/link"); rm "$G/overlay/child/link"; sw create-layer --id more child >/dev/null
same "$(cat "$G/overlay/child/link")" "$old"
