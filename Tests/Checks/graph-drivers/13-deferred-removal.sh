# SPDX-License-Identifier: Apache-2.0
# graph-drivers 13 and 14: deletions move away first; what a killed program leaves is removed, what a living one uses is not.
# drivers: overlay
L=$(sw create-layer | first); name=$(cat "$G/overlay/$L/link")
strace -f -o trace -e trace=rename,renameat,renameat2,unlink,unlinkat,rmdir "$SW" delete-layer --graph "$G" --run "$R" -s overlay "$L" >/dev/null
grep -E 'rename' trace | grep -q "0-$name" || fail "the link was not moved"
grep -E 'rename' trace | grep -q "1-$L" || fail "the layer was not moved"
grep -E 'unlink.*lock-' trace | tail -1 | grep -q . || fail "the lock file was not removed"
same "$(ls "$G/overlay/tempdirs")" ""
sw create-layer --id keep >/dev/null
d=$G/overlay/tempdirs; mkdir -p "$d/temp-dir-77/1-x" "$d/temp-dir-78"; hold "$d/lock-77" write; touch "$d/lock-78"
sw set-metadata -m x keep; same "$(ls "$d" | tr '\n' ' ')" "lock-77 temp-dir-77 "; release; sw set-metadata -m y keep; same "$(ls "$d")" ""
