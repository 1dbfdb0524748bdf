# SPDX-License-Identifier: Apache-2.0
# on-disk-format 16: a name for an image of an additional store makes a record of it in the graph root, with its items.
small_tar a.tar
sw import-layer -r --id base -f a.tar >/dev/null; sw create-image --id img -n img base >/dev/null
echo one >item; sw set-image-data -f item img key; sw set-metadata -m meta img
mv g add; swa() { local c=$1; shift; sw "$c" --storage-opt "$DRIVER.imagestore=$T/add" "$@"; }
find add -printf '%p %i %m %s %T@\n' | sort >before
swa add-names -n new img
same "$(jq -r '.[0] | [.id, .layer, .metadata, (.names | join(" "))] | join(",")' "$(records images)")" img,base,meta,"new img"
same "$(swa get-image-data img key)" one; test -e "$G/$DRIVER-images/img/key"
same "$(swa images -q | grep -cx img)" 2 "a plain listing"
find add -printf '%p %i %m %s %T@\n' | sort | diff before - || fail "the additional store was touched"
