# SPDX-License-Identifier: Apache-2.0
# graph-drivers 10: results of probes are kept in the run root, and a recorded failure is told.
# drivers: overlay
sw status 2>/dev/null
for f in overlay-true 'metacopy()-false' idmapped-lower-dir-true volatile-true; do test -e "$R/overlay/$f" || fail "no $f: $(ls "$R/overlay")"; test ! -s "$R/overlay/$f"; done
ls "$R/overlay" | grep -q '^native-diff()-' || fail "no native-diff"
rm -r "$R"; umount "$G/overlay" 2>/dev/null || true; mkdir -p "$R/overlay"; printf 'no overlay today' >"$R/overlay/overlay-false"
mkdir bin; for f in /usr/bin/*; do case $f in */fuse-overlayfs) ;; *) ln -s "$f" bin/ ;; esac; done
PATH=$T/bin says "no overlay today" "$SW" status --graph "$G" --run "$R" -s overlay
