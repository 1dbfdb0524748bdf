# SPDX-License-Identifier: Apache-2.0
# configuration-and-idmaps 2, 3, 6, 9: drop-ins, masks, variables, types.
cat >inner.sh <<'INNER'
set -eu
for d in /etc/containers /var/lib/containers /run/containers; do mkdir -p $d; mount -t tmpfs tmpfs $d; done; mkdir -p /usr/share/containers; mount -t tmpfs tmpfs /usr/share/containers
mkdir -p /etc/containers/storage.conf.d /usr/share/containers/storage.conf.d
unset CONTAINERS_STORAGE_CONF STORAGE_OPTS STORAGE_DRIVER
effective() { "$SW" config --graph $T/g --run $T/r -s vfs | jq -r "$1"; }
printf '[storage]\ndriver = "vfs"\n[storage.options]\npull_options = {k = "main"}\n' >/usr/share/containers/storage.conf
printf '[storage.options]\npull_options = {k = "vendor"}\n' >/usr/share/containers/storage.conf.d/90-a.conf
printf '[storage.options]\npull_options = {k = "admin"}\n' >/etc/containers/storage.conf.d/10-b.conf
"$SW" config >out; grep -q vendor out || { cat out; exit 2; }
mv /etc/containers/storage.conf.d/10-b.conf /etc/containers/storage.conf.d/90-a.conf
"$SW" config >out; grep -q admin out || { cat out; exit 3; }
rm /etc/containers/storage.conf.d/* /usr/share/containers/storage.conf.d/*
printf '[storage]\ndriver = "vfs"\ngraphroot = "/vendor/graph"\nrunroot = "/r"\n' >/usr/share/containers/storage.conf
: >/etc/containers/storage.conf
"$SW" config >out || { cat out; exit 6; }; grep -q /var/lib/containers/storage out || { cat out; exit 4; }
# A name in braces is a variable of the environment; that without is the user's number.
printf '[storage]\ndriver = "vfs"\nrunroot = "/r"\ngraphroot = "%s/${UID}/x/$UID"\n' "$T" >/etc/containers/storage.conf
"$SW" config >out; grep -q "\"$T/x/0\"" out || { cat out; exit 5; }
INNER
unshare -m --propagation private sh inner.sh
printf '[storage]\ndriver = "%s"\ngraphroot = "%s"\nrunroot = "%s"\n' "$DRIVER" "$G" "$R" >c.conf; export CONTAINERS_STORAGE_CONF=$T/c.conf
for v in '"true"' true; do printf '[storage]\ndriver = "%s"\ngraphroot = "%s"\nrunroot = "%s"\ntransient_store = %s\n' "$DRIVER" "$G" "$R" "$v" >c.conf
  if [ "$v" = true ]; then "$SW" layers >/dev/null; else refused "$SW" layers; fi; done
