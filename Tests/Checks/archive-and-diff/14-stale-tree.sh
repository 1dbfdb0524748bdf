# SPDX-License-Identifier: Apache-2.0
# archive-and-diff 14: a file that was changed in place is noticed by both programs.
small_tar t.tar; L=$(sw import-layer -f t.tar | first); printf 'HELLO\n' >"$(content "$L")/a"
for who in sw cs; do says 'file integrity checksum failed for "./a"' $who diff -u -f out.tar "$L"; done
