# SPDX-License-Identifier: Apache-2.0
# archive-and-diff 9: nothing outside of the layer is written at extraction, or read at diff.
mkdir host; echo secret-of-the-host >host/marker
python3 - "$T/host" <<'PY'
import io, sys, tarfile
host = sys.argv[1]
def make(name, *entries):
    with tarfile.open(name, "w", format=tarfile.GNU_FORMAT) as t:
        for n, kind, link, data in entries:
            e = tarfile.TarInfo(n); e.type, e.linkname, e.size = kind, link, len(data); t.addfile(e, io.BytesIO(data))
up = "../" * 12
make("up.tar", (up + host[1:] + "/new", b"0", "", b"bad"))
make("absolute.tar", (host + "/new", b"0", "", b"bad"))
make("link.tar", ("s", b"2", host, b""), ("s/new", b"0", "", b"bad"))
make("swap.tar", ("d/", b"5", "", b""), ("d/marker", b"0", "", b"inside-of-layer-bb\n"))
make("hard.tar", ("h", b"1", up + host[1:] + "/marker", b""))
PY
for f in up absolute link hard; do id=$(sw import-layer -f $f.tar 2>/dev/null | first) || true; [ -z "$id" ] || sw diff -u "$id" >$f.out 2>/dev/null || true; done
test ! -e host/new; same "$(cat host/marker)" secret-of-the-host
# A directory of the layer that became a link to the host since.
id=$(sw import-layer -f swap.tar | first); rm -r "$(content "$id")/d"; ln -s "$T/host" "$(content "$id")/d"
sw diff -u "$id" >swap.out 2>/dev/null || true
if grep -l secret-of-the-host ./*.out; then fail "the host was read"; fi
