# SPDX-License-Identifier: Apache-2.0
# graph-drivers 21: a child layer of vfs has all of its parent's files as they are.
# drivers: vfs
sw create-layer --id p >/dev/null; d=$(content p)
python3 - "$d" <<'PY'
import os, socket, sys
os.chdir(sys.argv[1])
open("a", "w").write("a"); os.link("a", "b"); os.mkfifo("fifo"); os.mknod("dev", 0o20600, os.makedev(300, 70000)); os.symlink("to", "link")
s = socket.socket(socket.AF_UNIX); s.bind("sock")
os.utime("link", ns=(1, 1234567890123456789), follow_symlinks=False); os.utime("a", ns=(5_000_000_001, -3_500_000_000))
open("suid", "w").write("s"); os.chown("suid", 7, 8); os.chmod("suid", 0o6755); os.setxattr("suid", "user.x", b"v")
os.mkdir("dir"); os.utime("dir", ns=(9, 1_000_000_009))
PY
setcap cap_net_raw+ep "$d/suid" 2>/dev/null || true
sw create-layer --id c p >/dev/null
for l in p c; do (cd "$(content $l)" && find . -mindepth 1 ! -name sock | sort | xargs stat -c '%n %f %u %g %h %t:%T %Y' && find . -mindepth 1 ! -name sock -printf '%P %T@\n' | sort && (getfattr -R -d -m - . 2>/dev/null || true)) >$l.list; done
diff p.list c.list
