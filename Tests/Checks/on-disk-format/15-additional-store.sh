# SPDX-License-Identifier: Apache-2.0
# on-disk-format 15: a store on a read-only file system is used without an attempt to write.
small_tar a.tar
sw import-layer -r --id base -f a.tar >/dev/null; sw create-image --id img -n img base >/dev/null
mv g add; mkdir g ro; mount --bind add ro; mount -o remount,bind,ro ro
strace -f -o trace -e trace=openat,openat2,mkdirat,mkdir,renameat2,rename,unlinkat,unlink,symlinkat "$SW" images -q --graph "$G" --run "$R" \
  -s "$DRIVER" --storage-opt "$DRIVER.imagestore=$T/ro" >out
grep -qx img out || fail "the image is not listed"
if grep "$T/ro" trace | grep -E 'O_(WRONLY|RDWR|CREAT)|mkdir|rename|unlink|symlink'; then fail "a write was tried"; fi
umount ro; rm "add/$DRIVER-layers/layers.lock"; mount --bind add ro; mount -o remount,bind,ro ro
sw layers -q --storage-opt "$DRIVER.imagestore=$T/ro" | grep -qx base || fail "not used without its lock file"
