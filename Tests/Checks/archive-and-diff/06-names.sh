# SPDX-License-Identifier: Apache-2.0
# archive-and-diff 6: names of any bytes and lengths are recorded as the reference records them.
python3 - <<'PY'
import tarfile
names = [b"\xc3\xa9", b"<&>\"", b"a\tb", b"\xff\xfe", b"n" * 250, b"h" * 100, b"d" * 50 + b"/" + b"f" * 50, b"x" * 90 + b"/" + b"y" * 60]
for form, file in ((tarfile.GNU_FORMAT, "gnu.tar"), (tarfile.PAX_FORMAT, "pax.tar"), (tarfile.USTAR_FORMAT, "ustar.tar")):
    with tarfile.open(file, "w", format=form, encoding="utf-8", errors="surrogateescape") as t:
        for n in names:
            if form == tarfile.USTAR_FORMAT and len(n) == 250: continue
            if form == tarfile.PAX_FORMAT and n == b"\xff\xfe": continue
            t.addfile(tarfile.TarInfo(n.decode("utf-8", "surrogateescape")))
PY
for f in gnu.tar pax.tar ustar.tar; do
  for who in sw cs; do
    id=$($who import-layer -f $f | first); sw diff -u "$id" | cmp - $f
    gzip -dc "$G/$DRIVER-layers/$id.tar-split.gz" | jq -c 'select(.type==1) | [.name,.name_raw,.size]' >$who.names
    (cd "$(content "$id")" && find . -printf '%P\n' | sort) >$who.found
  done
  cmp sw.names cs.names; cmp sw.found cs.found
done
