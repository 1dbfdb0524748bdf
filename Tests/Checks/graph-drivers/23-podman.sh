# SPDX-License-Identifier: Apache-2.0
# graph-drivers 23: Podman's view of a store of ours.
demo_image; sw load -q demo-docker-archive.tar >/dev/null
same "$(pm run --rm --network none localhost/stowage-demo echo one)" one
[ "$DRIVER" = vfs ] || same "$(pm run --rm --network none --uidmap 0:100000:65536 --gidmap 0:100000:65536 localhost/stowage-demo echo two)" two
m=$(pm image mount localhost/stowage-demo); test -e "$m/srv/hello.txt"; pm image unmount localhost/stowage-demo >/dev/null
if [ "$DRIVER" = overlay ]; then
  pm info --format '{{range $k, $v := .Store.GraphStatus}}{{$k}}: {{$v}}
{{end}}' | grep . | sort >theirs; sw status 2>&1 | sed 's/^ *//' >ours
  while read -r line; do grep -qF "${line#*: }" ours || fail "status lacks $line: $(cat ours)"; done <theirs
fi
pm system prune -a -f >/dev/null; same "$(sw layers -q)" ""; same "$(sw images -q)" ""
