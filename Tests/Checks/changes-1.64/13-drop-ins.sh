# SPDX-License-Identifier: Apache-2.0
# changes-1.64 13: drop-ins that are symbolic links.
mkdir -p etc usr; cat >inner.sh <<'INNER'
set -eu
for d in /etc/containers /var/lib/containers /run/containers; do mkdir -p $d; mount -t tmpfs tmpfs $d; done; mkdir -p /usr/share/containers; mount -t tmpfs tmpfs /usr/share/containers
mkdir -p /etc/containers/storage.conf.d /usr/share/containers/storage.conf.d
printf '[storage]\ndriver = "vfs"\n' >/usr/share/containers/storage.conf
printf '[storage]\ngraphroot = "/from/link"\nrunroot = "/r"\n' >$T/elsewhere.conf
ln -s $T/elsewhere.conf /etc/containers/storage.conf.d/10-a.conf
printf '[storage]\ngraphroot = "/from/vendor"\n' >/usr/share/containers/storage.conf.d/20-b.conf
ln -s /dev/null /etc/containers/storage.conf.d/20-b.conf
ln -s /nowhere/at/all /etc/containers/storage.conf.d/30-c.conf
unset CONTAINERS_STORAGE_CONF
"$SW" config >$T/out 2>$T/err || { cat $T/out $T/err; exit 1; }
grep -q /from/link $T/out || { cat $T/out; exit 1; }
mkdir $T/adir; ln -s $T/adir /etc/containers/storage.conf.d/40-d.conf
if "$SW" config >$T/out 2>&1; then exit 1; fi; grep -qi 'is a directory' $T/out || { cat $T/out; exit 1; }
INNER
unshare -m --propagation private sh inner.sh
