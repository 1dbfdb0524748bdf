# SPDX-License-Identifier: Apache-2.0
# store-semantics 1: the texts of refusals.
small_tar l1.tar
A=$(sw import-layer -r -n base -f l1.tar | first)
says "that ID is already in use" sw create-layer --id "$A"
says "that name is already in use" sw create-layer -n base
says "layer not known" sw create-layer nosuch
says "layer not known" sw create-image -n img nosuch
I=$(sw create-image -n img "$A" | first)
says "image name \"img\" is already associated with image \"$I\": that name is already in use" sw create-image -n img "$A"
C=$(sw create-container -n c img | first); before=$(sw layers -q)
says "the container name \"c\" is already in use by $C" sw create-container -n c img
same "$(sw layers -q)" "$before"
says "would-be parent layer is a container" sw create-layer "$(container_layer "$C")"
says "layer has children" sw delete-layer "$A"
says "image is in use by a container" sw delete-image img
says "identifier is not a container" sw delete-container zz
says "identifier is not a layer" sw delete-layer zz
says "identifier is not an image" sw delete-image zz
says "layer not known" sw delete zz
says "identifier is not a layer, image, or container" sw set-metadata -m x zz
says "layer not known" sw add-names -n x zz
