# SPDX-License-Identifier: Apache-2.0
# archive-and-diff 7: modes, times, owners, links, devices and attributes are the reference's.
python3 - <<'PY'
import tarfile
t = tarfile.open("t.tar", "w", format=tarfile.PAX_FORMAT)
def add(name, kind=tarfile.REGTYPE, mode=0o644, mtime=1000, link="", uid=1, gid=2, dev=(0, 0), data=b"", pax=None):
    e = tarfile.TarInfo(name); e.type, e.mode, e.mtime, e.linkname, e.uid, e.gid, e.size = kind, mode, mtime, link, uid, gid, len(data)
    e.devmajor, e.devminor = dev; e.pax_headers = pax or {}
    import io; t.addfile(e, io.BytesIO(data))
add("./", tarfile.DIRTYPE, 0o711, 5000)
add("suid", mode=0o4755, data=b"x"); add("sticky/", tarfile.DIRTYPE, 0o1777)
add("nano", pax={"mtime": "1234567890.123456789"}); add("past", pax={"mtime": "-5.5"})
add("atime", mtime=2000000, pax={"atime": "1000.25"})
add("target", mode=0o600, data=b"yy"); add("hard", tarfile.LNKTYPE, 0o640, link="target")
add("char", tarfile.CHRTYPE, dev=(300, 70000)); add("fifo", tarfile.FIFOTYPE); add("missing/parents/f", data=b"z")
add("sym", tarfile.SYMTYPE, 0o777, 7777, "nowhere/at/all", 5, 6)
add("attr", pax={"SCHILY.xattr.user.x": "value", "SCHILY.xattr.trusted.y": "other"})
t.close()
PY
for who in sw cs; do
  id=$($who import-layer -f t.tar | first); d=$(content "$id")
  (cd "$d" && find . -mindepth 1 -printf '%P %y %m %U:%G %T@ %l %n\n' | grep -v '^missing' | sort
    find missing -printf '%P %y %U:%G\n'; find . -mindepth 1 ! -name '.' | sort | xargs getfattr -hd -m - 2>/dev/null; stat -c '%t:%T' char
    # Opaque: overlay ignores the entry of the root, vfs applies it.
    stat -c '%a %Y' . | sed "s/ .*//") >$who.list
done
diff cs.list sw.list
