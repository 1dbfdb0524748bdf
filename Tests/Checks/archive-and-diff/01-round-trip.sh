# SPDX-License-Identifier: Apache-2.0
# archive-and-diff 1: the archive comes back byte for byte, whatever its compression, from either program; the records are equal.
tar -C /usr/share/doc -cf t.tar bash coreutils; gzip -k t.tar; bzip2 -k t.tar; xz -k t.tar; zstd -q t.tar
for f in t.tar t.tar.gz t.tar.bz2 t.tar.xz t.tar.zst; do
  for who in sw cs; do
    id=$($who import-layer -f $f | first)
    sw diff -u "$id" | cmp - t.tar; cs diff -u "$id" | cmp - t.tar
    jq -S --arg id "$id" '.[] | select(.id==$id) | {d:."diff-digest",s:."diff-size",c:."compressed-diff-digest",t:."compressed-size",k:.compression,u:.uidset,g:.gidset}' "$(records layers)" >$who.json
  done
  diff sw.json cs.json || fail "records of $f"
done
