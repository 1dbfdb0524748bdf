# SPDX-License-Identifier: Apache-2.0
# graph-drivers 20: equal files share blocks on btrfs, the same number each time; elsewhere the number is 0.
# drivers: overlay vfs
says "invalid hash method: foo" sw dedup --hash-method=foo
fill() {
  mkdir -p t; head -c 786432 /dev/urandom >t/big; cp --reflink=never t/big t/again; echo small >t/small; head -c 786432 /dev/urandom >t/other; tar -C t -cf a.tar .
  sw import-layer -r --id one -f a.tar >/dev/null; sw import-layer -r --id two -f a.tar one >/dev/null; sw create-image --id img two >/dev/null
}
fill; same "$(sw dedup)" "Deduplicated 0 bytes"; same "$(sw dedup -j)" '{"Deduped":0}'
truncate -s 300M disk; mkfs.btrfs -q disk; mkdir m; mount -o loop disk m; G=$T/m/g
fill; before=$(sw diff -u two | sha256sum)
n=$(sw dedup); [ "${n//[^0-9]/}" -ge 2359296 ] || fail "$n"
for method in crc size sha256; do same "$(sw dedup --hash-method=$method)" "$n" $method; done
shared=$(btrfs filesystem du -s --raw "$(content two)" | awk 'NR==2 {print $3}'); [ "$shared" -gt 0 ]
same "$(sw diff -u two | sha256sum)" "$before"; sw check
