# SPDX-License-Identifier: Apache-2.0
# archive-and-diff 8: what the reference refuses is refused, with the same text and status.
python3 - <<'PY'
import io, tarfile
def make(name, *entries):
    with tarfile.open(name, "w", format=tarfile.GNU_FORMAT) as t:
        for n, kind, link in entries:
            e = tarfile.TarInfo(n); e.type, e.linkname = kind, link; t.addfile(e)
make("twice.tar", ("a", b"0", ""), ("a", b"0", "")); make("seven.tar", ("c", b"7", "")); make("sparse.tar", ("s", b"S", "")); make("nolink.tar", ("l", b"1", "nowhere"))
make("good.tar", ("a", b"0", ""))
data = bytearray(open("good.tar", "rb").read()); data[10] ^= 1; open("sum.tar", "wb").write(data); open("three.tar", "wb").write(b"abc")
PY
printf 'P*M\x18\x04\x00\x00\x00abcd' >skip.zst; zstd -qc good.tar >>skip.zst
before=$(sw layers -q)
while read -r f text; do
  for who in sw cs; do says "$text" $who import-layer -f "$f"; done
done <<'TEXTS'
twice.tar duplicates of file paths not supported
seven.tar unhandled tar header type 55
sparse.tar unhandled tar header type 83
nolink.tar no such file or directory
sum.tar archive/tar: invalid tar header
three.tar unexpected EOF
TEXTS
says "" sw import-layer -f skip.zst
same "$(sw layers -q)" "$before"
