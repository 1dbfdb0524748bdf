# SPDX-License-Identifier: Apache-2.0
# configuration-and-idmaps 11 to 13: maps of layers, and maps that are refused.
# drivers: vfs
sw create-layer --id lay --json --uidmap 0:1000:10:10:2000:5 --gidmap 0:1:1 | jq -e '.uidmap | length == 2' >/dev/null
same "$(stat -c %u:%g "$G/vfs/dir/lay")" 1000:1
refused sw create-layer --uidmap 5:1000:10
L=$(sw create-layer --uidmap 5:1000:1 | first); same "$(stat -c %u "$G/vfs/dir/$L")" 1000
before=$(sw layers -q)
for m in 0:1:1,5:6:1 0:1000 -1:0:1; do
  # Debian's program has the same words.
  theirs=$(cs create-layer --uidmap=$m 2>&1 || true); says "$(echo "$theirs" | grep -v level= | tail -1)" sw create-layer --uidmap=$m
done
same "$(sw layers -q)" "$before"
