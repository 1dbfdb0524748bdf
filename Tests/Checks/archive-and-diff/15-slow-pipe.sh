# SPDX-License-Identifier: Apache-2.0
# archive-and-diff 15: a pipe that begins slowly.
small_tar t.tar; gzip -k t.tar; L=$(sw create-layer | first)
(head -c 2 t.tar.gz; sleep 1; tail -c +3 t.tar.gz) | sw apply-diff "$L"
same "$(jq -r '.[0] | [.compression, ."diff-digest"] | map(tostring) | join(" ")' "$(records layers)")" "2 sha256:$(sha256sum <t.tar | cut -d' ' -f1)"
