# SPDX-License-Identifier: Apache-2.0
# store-semantics 2: names are added in front, stored once, taken over.
A=$(sw create-layer | first); sw create-image --id img -n img "$A" >/dev/null
# No names that could be the beginning of a layer's identifier.
sw create-container --id ctr -n ctr img >/dev/null; sw create-container --id other -n other img >/dev/null
sw add-names -n z -n y ctr; same "$(sw get-names ctr | tr '\n' ' ')" "z y ctr "
sw set-names -n q -n q -n r img
same "$(jq -c '.[0].names' "$(records images)")" '["q","r"]'; same "$(jq -c '.[0]["names-history"][:2]' "$(records images)")" '["r","q"]'
sw add-names -n other ctr; same "$(jq -r '.[] | select(.id=="other") | .names // [] | length' "$(records containers)")" 0
