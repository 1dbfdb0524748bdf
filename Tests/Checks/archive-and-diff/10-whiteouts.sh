# SPDX-License-Identifier: Apache-2.0
# archive-and-diff 10: whiteouts on disk, changes and size.
mkdir -p b/d b/del c/d c/del; echo f >b/d/f; echo a >b/del/a; ln -s x b/l; touch c/.wh.l c/d/.wh.f c/del/.wh..wh..opq; printf b >c/del/b
tar -C b -cf b.tar l d del
(cd c; tar --no-recursion -cf ../c.tar .wh.l d/ d/.wh.f del/ del/.wh..wh..opq del/b)
sw import-layer -r --id base -f b.tar >/dev/null; sw import-layer -r --id child -f c.tar base >/dev/null
if [ "$DRIVER" = overlay ]; then
  d=$(content child)
  for f in l d/f; do same "$(stat -c '%F %t:%T %a' "$d/$f")" "character special file 0:0 0" $f; done
  same "$(getfattr -n trusted.overlay.opaque --only-values "$d/del" 2>/dev/null)" y
  same "$(sw changes child)" 'Modify "/d"
Delete "/d/f"
Delete "/del"
Add "/del/b"
Delete "/l"'
  same "$(sw diffsize child)" 1
else
  same "$(sw changes child | sort -k2)" 'Modify "/d"
Delete "/d/f"
Modify "/del"
Delete "/del/a"
Add "/del/b"
Delete "/l"'
fi
