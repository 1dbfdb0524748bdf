# SPDX-License-Identifier: Apache-2.0
# store-semantics 10: a record of the image store that the graph root's hides stays.
IS=$T/i; "$SW" create-layer --graph "$IS" --run "$T/ri" -s "$DRIVER" --id same >/dev/null; sw create-layer --id same >/dev/null
sw create-layer -r --image-store "$IS" --id new >/dev/null
jq -e 'any(.id=="same")' "$(records layers "$IS")" >/dev/null; jq -e 'any(.id=="same")' "$(records layers)" >/dev/null
