# SPDX-License-Identifier: Apache-2.0
# configuration-and-idmaps 19: a mapped container made by one program and mounted by the other.
# drivers: vfs
mkdir d; echo x >d/f; chown 7:8 d/f; tar -C d -cf a.tar .; sw import-layer -r --id base -f a.tar >/dev/null; sw create-image --id img base >/dev/null
map="--uidmap 0:100000:65536 --gidmap 0:100000:65536"
for pair in "cs sw" "sw cs"; do set -- $pair; $1 create-container $map --id by-$1 img >/dev/null; p=$($2 mount by-$1); (cd "$p" && find . -printf '%U:%G %p\n' | sort) >$1.list; $2 unmount by-$1 >/dev/null; done
diff cs.list sw.list; grep -q '100007:100008 ./f' sw.list
