# SPDX-License-Identifier: Apache-2.0
# on-disk-format 10: what finds a layer, an image, a container.
A=$(printf 'a%.0s' $(seq 64)); B=${A%a}b
sw create-layer --id "$A" -n aaaa >/dev/null; sw create-layer --id "$B" >/dev/null
refused sw exists -l aaa
sw exists -l "$A" "$B"
same "$(sw layer -j aaaa | jq -r '.[0].id')" "$A" "a name that is a prefix of identifiers"
sw create-image --id "c$B" -n img "$A" >/dev/null
C=$(sw create-container img | first); L=$(jq -r '.[0].layer' "$(records containers)")
same "$(sw container -j "$L" | jq -r '.[0].id')" "$C"
refused sw exists -c "${L:0:20}"
