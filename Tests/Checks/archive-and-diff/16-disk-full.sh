# SPDX-License-Identifier: Apache-2.0
# archive-and-diff 16: a full disk is told, and leaves nothing.
mkdir small; mount -t tmpfs -o size=3m tmpfs small; G=$T/small/g; head -c 4000000 /dev/urandom >big; tar cf a.tar big
says "no space left on device" sw import-layer -f a.tar
same "$(sw layers -q)" ""; sw create-layer --id one >/dev/null
same "$(jq -r '.[].id' "$(records layers)")" one
same "$(find small -size +500k -type f)" "" "files"; umount -R small
