# SPDX-License-Identifier: Apache-2.0
# on-disk-format 1: a change and its reverse by the program leave the reference's record files byte for byte.
small_tar a.tar; gzip a.tar
L=$(cs import-layer -n '<&>"é' -f a.tar.gz | first)
cs set-metadata -m '<&>"é	' "$L"
I=$(cs create-image -n img "$L" | first)
C=$(cs create-container -n ctr img | first)
cs set-metadata -m '{"x":"<&>"}' "$I"; cs set-metadata -m 'é"' "$C"
mkdir before
cp "$(records layers)" "$(records images)" "$(records containers)" before/
for x in "$L" "$I" "$C"; do
  old=$(sw metadata -q "$x")
  sw set-metadata -m changed "$x"; sw set-metadata -m "$old" "$x"
done
# Metadata loses its last line feed only in the output; these have none.
for k in layers images containers; do cmp before/$k.json "$(records $k)"; done
