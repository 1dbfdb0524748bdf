# SPDX-License-Identifier: Apache-2.0
# on-disk-format 9: of two images with one name the later keeps it; of an additional store that is an error; containers of both files.
sw create-layer --id l1 >/dev/null
sw create-image --id one -n a l1 >/dev/null; sw create-image --id two -n b l1 >/dev/null
jq 'map(if .id=="two" then .names=["a"] else . end)' "$(records images)" >new; cp new "$(records images)"; cp -r "$G" "$T/add"
sw images >/dev/null
same "$(jq -c 'map([.id,(.names//[])])' "$(records images)")" '[["one",[]],["two",["a"]]]'
if [ "$DRIVER" = overlay ]; then
  G=$T/g2
  says "read-only image store assigns the same name to multiple images" sw images --storage-opt overlay.imagestore="$T/add"
  G=$T/g
fi
sw create-container --id c1 -n ca two >/dev/null; sw create-container --volatile --id c2 -n cb two >/dev/null
volatile=$G/$DRIVER-containers/volatile-containers.json
jq 'map(.names=["ca"])' "$volatile" >new; cp new "$volatile"
sw containers >/dev/null
n=$(jq -s '[.[][] | select((.names//[]) | index("ca"))] | length' "$(records containers)" "$volatile")
same "$n" 1 "containers with the name"
before=$(cat "$(records containers)" "$volatile"); sw containers >/dev/null
same "$(cat "$(records containers)" "$volatile")" "$before"
