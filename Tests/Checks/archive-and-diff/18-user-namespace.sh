# SPDX-License-Identifier: Apache-2.0
# archive-and-diff 18: in a user namespace with one ID.
# drivers: vfs
python3 - <<'PY'
import tarfile
def make(name, *entries):
    with tarfile.open(name, "w", format=tarfile.PAX_FORMAT) as t:
        for n, kind, uid, pax in entries:
            e = tarfile.TarInfo(n); e.type, e.uid, e.gid, e.pax_headers = kind, uid, uid, pax; e.devmajor = 1; t.addfile(e)
make("a.tar", ("dev", b"3", 0, {}), ("f", b"0", 0, {"SCHILY.xattr.trusted.x": "v"}))
make("b.tar", ("f", b"0", 5, {}))
PY
chown 0 .; chmod 755 .
inside() { unshare -r -m env _CONTAINERS_USERNS_CONFIGURED=done _CONTAINERS_ROOTLESS_UID=0 "$SW" "$@"; }
at() { local c=$1; shift; inside "$c" --graph "$G" --run "$R" -s vfs "$@"; }
L=$(at import-layer -f a.tar | first); d=$(content "$L")
test -f "$d/f"; test ! -e "$d/dev"; same "$(getfattr -d -m - "$d/f" 2>/dev/null)" ""
at diff -u "$L" | cmp - a.tar
says "potentially insufficient UIDs or GIDs" at import-layer -f b.tar
at import-layer --storage-opt vfs.ignore_chown_errors=true -f b.tar >/dev/null
