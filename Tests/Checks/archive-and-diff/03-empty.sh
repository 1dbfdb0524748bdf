# SPDX-License-Identifier: Apache-2.0
# archive-and-diff 3: an archive of no bytes is a layer of no bytes.
L=$(sw create-layer | first); sw apply-diff -f /dev/null "$L"
same "$(jq -r '.[0]."diff-digest"' "$(records layers)")" sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
same "$(sw diff -u "$L" | wc -c)" 0
