# SPDX-License-Identifier: Apache-2.0
# archive-and-diff 4: the tar-split files of both programs say the same, and give the input.
tar -C /usr/share/doc -cf t.tar bash
for who in sw cs; do
  id=$($who import-layer -f t.tar | first); gzip -dc "$G/$DRIVER-layers/$id.tar-split.gz" >$who.split
  jq -c 'select(.type==1) | [.name,.size,.payload]' $who.split >$who.entries
done
cmp sw.entries cs.entries
python3 - sw.split t.tar "$(content "$id")" <<'PY'
import base64, json, os, sys
out = b""
for line in open(sys.argv[1]):
    entry = json.loads(line)
    if entry["type"] == 2: out += base64.b64decode(entry["payload"])
    elif entry.get("size"):
        with open(os.path.join(sys.argv[3], entry["name"]), "rb") as f: out += f.read()
assert out == open(sys.argv[2], "rb").read()
PY
