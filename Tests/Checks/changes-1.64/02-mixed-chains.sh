# SPDX-License-Identifier: Apache-2.0
# changes-1.64 2: a chain made by three programs in turns.
# drivers: overlay
demo_image; sw load -q demo-docker-archive.tar >/dev/null; p=$(jq -r '.[0].layer' "$(records images)")
for n in 1 2 3; do
  mkdir f$n; echo $n >f$n/of-$n; tar -C f$n -cf f$n.tar .
  p=$(cs import-layer -r -f f$n.tar "$p" | first); p=$(sw import-layer -r -f f$n.tar "$p" | first)
done
for who in cs sw; do l=$($who create-layer "$p" | first); for m in cs sw; do d=$($m mount "$l"); (cd "$d" && find . | sort) >$who.$m; sw unmount "$l" >/dev/null; done; done
cmp cs.cs cs.sw; cmp sw.cs sw.sw; cmp cs.sw sw.sw; grep -q of-3 sw.sw; grep -q srv/hello.txt sw.sw
for f in "$G"/overlay/*/lower-layers; do
  id=$(basename "$(dirname "$f")"); list=""; q=$id
  while q=$(jq -r --arg q "$q" '.[] | select(.id==$q) | .parent // ""' "$(records layers)"); [ -n "$q" ]; do list=$list:$q; done
  same "$(cat "$f")" "${list#:}" "$id"
done
