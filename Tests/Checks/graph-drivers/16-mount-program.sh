# SPDX-License-Identifier: Apache-2.0
# graph-drivers 16: what a mount program is called with.
# drivers: overlay
cat >program <<P
#!/bin/sh
echo "\$PWD" "\$@" >>$T/log
exec mount -t tmpfs tmpfs "\$(for last; do :; done; echo "\$last")"
P
chmod +x program; small_stack
normal() { sed -E "s|$T/g2?/|GRAPH/|g; s|$T/r2?/|RUN/|g; s/[A-Z2-7]{26}/LINK/g; s/[0-9a-f]{64}/ID/g; s/(^|,)ro(,|$)/\1\2/g; s/, GRAPH/ GRAPH/"; }
calls() {
  rm -f log; o="--storage-opt overlay.mount_program=$T/program"
  $1 create-layer $o --id plain child >/dev/null; $1 mount $o plain >/dev/null; $1 unmount $o plain >/dev/null
  normal <log
}
calls sw >ours; G=$T/g2 R=$T/r2; small_stack cs; calls cs >theirs
# 1.64 names directories where Debian's program names links (changes-1.64 4.1).
sed -E -i 's#GRAPH/overlay/l/LINK#LOWER#g; s#GRAPH/overlay/(child|base)/diff#LOWER#g; s#(^| |=|:)(overlay/)?l/LINK#\1LOWER#g' ours theirs
[ -s ours ]; diff theirs ours
