# SPDX-License-Identifier: Apache-2.0
# store-semantics 18: the graph root as its own image store or additional store does not hang.
sw create-layer --id one >/dev/null
timeout 10 "$SW" layers --graph "$G" --run "$R" -s "$DRIVER" --image-store "$G" >/dev/null
timeout 10 "$SW" layers --graph "$G" --run "$R" -s "$DRIVER" --storage-opt "$DRIVER.imagestore=$G" >/dev/null
