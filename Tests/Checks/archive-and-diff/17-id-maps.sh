# SPDX-License-Identifier: Apache-2.0
# archive-and-diff 17: owners of a mapped layer, and an owner without a place.
# drivers: vfs
mkdir d; echo x >d/a; tar -C d --owner=0 --group=0 -cf a.tar .
L=$(sw import-layer --uidmap 0:100000:65536 --gidmap 0:200000:65536 -f a.tar | first)
same "$(stat -c %u:%g "$(content "$L")/a")" 100000:200000; sw diff -u "$L" | cmp - a.tar
tar -C d --owner=10 --group=0 -cf b.tar .
says "container ID 10 cannot be mapped to a host ID" sw import-layer --uidmap 0:100000:10 --gidmap 0:200000:10 -f b.tar
