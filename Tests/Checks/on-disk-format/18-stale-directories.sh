# SPDX-License-Identifier: Apache-2.0
# on-disk-format 18: stale temporary directories go, those in use and unrelated ones stay.
small_tar a.tar; L=$(sw import-layer -f a.tar | first)
d=$G/$DRIVER-layers/tmp; mkdir -p "$d/temp-dir-1" "$d/temp-dir-2" "$d/unrelated"; touch "$d/temp-dir-1/x" "$d/lock-1" "$d/lock-3"
hold "$d/lock-1" write; sw layers -q >/dev/null
# A command that may write settles what is stale.
sw set-metadata -m x "$L"
same "$(ls "$d" | tr '\n' ' ')" "lock-1 temp-dir-1 unrelated "
release; sw set-metadata -m y "$L"; same "$(ls "$d")" unrelated
