# SPDX-License-Identifier: Apache-2.0
# changes-1.64 12: a stale temporary directory with a mount inside, with an immutable file, and one in use.
# drivers: overlay
L=$(sw create-layer | first); sw shutdown; d=$G/overlay/tempdirs
mkdir -p "$d/temp-dir-9/1-x/merged"; mount -t tmpfs tmpfs "$d/temp-dir-9/1-x/merged"; sw layers >/dev/null; sw set-metadata -m x "$L"; test ! -e "$d/temp-dir-9"
mkdir -p "$d/temp-dir-9"; touch "$d/temp-dir-9/f"
if chattr +i "$d/temp-dir-9/f" 2>/dev/null; then sw layers >/dev/null; sw set-metadata -m y "$L"; chattr -i "$d/temp-dir-9/f"; fi
mkdir -p "$d/temp-dir-8/x"; hold "$d/lock-8" write; sw set-metadata -m z "$L"; test -d "$d/temp-dir-8/x"; release
