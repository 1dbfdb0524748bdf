# SPDX-License-Identifier: Apache-2.0
# on-disk-format 7, roles swapped: the reference is killed during imports; the program reads the store, and gc leaves nothing.
head -c 30000000 /dev/urandom >big; tar cf a.tar big; rm big
sw create-layer --id keep >/dev/null
for n in $(seq 12); do
  "$CS" import-layer --graph "$G" --run "$R" -s "$DRIVER" -f a.tar >/dev/null 2>&1 & pid=$!
  sleep "0.0$((n * 7 % 90))"; kill -9 $pid 2>/dev/null || true; wait $pid 2>/dev/null || true
  sw layers -q | grep -q keep || fail "the store is not read after kill $n"
done
sw gc >/dev/null
kept=$(jq -r '.[].id' "$(records layers)" | sort); here=$(ls "$G/$(layer_home)" | grep -Ex '[0-9a-f]{64}|keep' | sort)
same "$here" "$kept" "directories without record"
if ls "$G/$DRIVER-layers"/*.tar-split.gz 2>/dev/null | sed 's|.*/||; s/\.tar-split\.gz//' | grep -vxF "$kept"; then fail "tar-split without record"; fi
for d in "$G/$DRIVER-layers/tmp" "$G/$(dirname "$(layer_home)")/tempdirs" "$G/$DRIVER/tempdirs"; do [ ! -d "$d" ] || [ -z "$(ls -A "$d")" ] || fail "left in $d"; done
