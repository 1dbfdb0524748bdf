# SPDX-License-Identifier: Apache-2.0
# store-semantics 14: a layer that is marked incomplete goes at the next reading; in an additional store nothing changes.
small_tar a.tar; L=$(sw import-layer -f a.tar | first); cp -r g add
for root in g add; do jq 'map(.flags={"incomplete":true})' $root/$DRIVER-layers/layers.json >new; cp new $root/$DRIVER-layers/layers.json; done
find add -printf '%p %m %s %T@\n' | sort >before
same "$(sw layers -q --storage-opt "$DRIVER.imagestore=$T/add" | grep -cx "$L")" 1 "of the additional store"
find add -printf '%p %m %s %T@\n' | sort | diff before -
sw layers >/dev/null; test ! -e "$G/$(layer_home)/$L"; test ! -e "$G/$DRIVER-layers/$L.tar-split.gz"; same "$(cat "$(records layers)")" "[]"
