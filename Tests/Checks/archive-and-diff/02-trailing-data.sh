# SPDX-License-Identifier: Apache-2.0
# archive-and-diff 2: what stands behind an archive comes back with it and is not extracted.
small_tar t.tar; mkdir other; touch other/second; tar -C other -cf second.tar .
head -c 70000 /dev/zero >>t.tar; echo junk >>t.tar; cat second.tar >>t.tar
L=$(sw import-layer -f t.tar | first); sw diff -u "$L" | cmp - t.tar; cs diff -u "$L" | cmp - t.tar
test -e "$(content "$L")/a"; test ! -e "$(content "$L")/second"
