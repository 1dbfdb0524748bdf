# SPDX-License-Identifier: Apache-2.0
# graph-drivers 17: trees of vfs are the reference's; without a named driver a vfs directory does not count.
# drivers: vfs
small_stack; G=$T/g2 R=$T/r2; small_stack cs; G=$T/g R=$T/r
diff -r g/vfs/dir/child g2/vfs/dir/child
for g in g g2; do tar -C $g/vfs/dir/child -cf - --xattrs --numeric-owner --sort=name --mtime=@0 . | tar tv --full-time --numeric-owner >$g.list; done; diff g.list g2.list
same "$(sw changes child | sort -k2)" 'Add "/b"
Modify "/d1"
Delete "/d1/x"
Add "/d2"'
mkdir h h/vfs; printf '[storage]\n' >empty.conf
CONTAINERS_STORAGE_CONF=$T/empty.conf "$SW" status --graph "$T/h" --run "$R" 2>&1 | grep -q 'Name: overlay\|overlay' || fail "vfs was taken"
