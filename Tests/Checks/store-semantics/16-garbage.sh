# SPDX-License-Identifier: Apache-2.0
# store-semantics 16: gc deletes what belongs to nothing, and nothing that is not its own.
sw create-layer --id keep >/dev/null; sw create-image --id img -n img keep >/dev/null; echo x >item; sw set-image-data -f item img key
sw create-container --id ctr img >/dev/null; sw set-container-data -f item ctr key
x=$(printf '%064d' 7); for d in "$(layer_home)" $DRIVER-layers $DRIVER-images $DRIVER-containers; do mkdir -p "$G/$d/$x" "$G/$d/notanid"; done; touch "$G/$DRIVER-layers/$x.tar-split.gz"
sw gc >/dev/null
for d in "$(layer_home)" $DRIVER-layers $DRIVER-images $DRIVER-containers; do test ! -e "$G/$d/$x" || fail "$d/$x stays"; done
test ! -e "$G/$DRIVER-layers/$x.tar-split.gz"; test -d "$G/$DRIVER-containers/notanid"
same "$(sw get-image-data img key)" x; same "$(sw get-container-data ctr key)" x; sw mount ctr >/dev/null; sw unmount ctr >/dev/null
