# SPDX-License-Identifier: Apache-2.0
# store-semantics 4: copies of top layers for other owners: shared, recorded, deleted with their image.
export _CONTAINERS_OVERLAY_DISABLE_IDMAP=yes
small_stack; map="--uidmap 0:100000:1000 --gidmap 0:100000:1000"
sw create-container $map --id a img >/dev/null; sw create-container $map --id b img >/dev/null
sw create-container --uidmap 0:200000:1000 --gidmap 0:200000:1000 --id c img >/dev/null
mapped=$(jq -r '.[0]["mapped-layers"][]' "$(records images)"); same "$(echo "$mapped" | wc -l)" 2
for m in $mapped; do
  jq -e --arg m "$m" '(.[] | select(.id==$m)) as $l | (.[] | select(.id=="child")) as $t | $l.parent == $t.parent and $l["diff-digest"] == $t["diff-digest"]' "$(records layers)" >/dev/null || fail "record of $m"
  cmp <(gzip -dc "$G/$DRIVER-layers/$m.tar-split.gz") <(gzip -dc "$G/$DRIVER-layers/child.tar-split.gz")
done
sw delete-container a b c ctr >/dev/null
one=$(echo "$mapped" | first); sw delete-layer "$one" >/dev/null
same "$(jq -r '.[0]["mapped-layers"][]' "$(records images)")" "$(echo "$mapped" | sed 1d)"
same "$(sw delete-image img 2>&1 | sed "s/^img: //")" "$(echo "$mapped" | sed 1d)
child
base"
