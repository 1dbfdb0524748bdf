# SPDX-License-Identifier: Apache-2.0
# on-disk-format 4: whole-file record locks; the same locks of others block us and the reference.
store() { sw create-layer --id l1 >/dev/null; sw create-image --id img -n img l1 >/dev/null; sw create-container --id ctr -n ctr img >/dev/null; }
store
strace -f -o trace -e trace=fcntl,flock "$SW" layers --graph "$G" --run "$R" -s "$DRIVER" >/dev/null
if grep -q 'flock(' trace; then fail "flock was called"; fi
grep -Eq 'F_(OFD_)?SETLKW?, \{l_type=F_(RD|WR)LCK, l_whence=SEEK_SET, l_start=0, l_len=0' trace || fail "no whole-file lock: $(cat trace)"
# blocked WHO COMMAND…: whether the command waits.
blocked() { local who=$1; shift; local s=0; timeout 0.7 "$@" >/dev/null 2>&1 || s=$?; if [ $s -eq 124 ]; then echo "$who waits"; else echo "$who goes on"; fi; }
program() { local p=$1 c=$2; shift 2; echo "$p" "$c" --graph "$G" --run "$R" -s "$DRIVER" "$@"; }
# held KIND FILE: every command while somebody holds a lock of this kind on the file, in a store of its own.
held() {
  local kind=$1 file=$2
  T=$T/$kind-${file##*/} && mkdir "$T" && G=$T/g R=$T/r
  store
  hold "$G/$file" "$kind"
  for words in "layers" "images" "containers" "set-metadata -m x l1" "set-metadata -m x img" "set-metadata -m x ctr" "exists -l l1"; do
    # shellcheck disable=SC2046,SC2086
    ours=$(blocked it $(program "$SW" $words)); theirs=$(blocked it $(program "$CS" $words))
    # Only who writes a file waits for its readers; Debian's program, which may have to repair it, always does.
    if [ "$kind" = read ]; then
      case $file,$words in *layers.lock,set*l1|*images.lock,set*img|*containers.lock,set*ctr) theirs="it waits" ;;
        *,set*) continue ;; *) theirs="it goes on" ;; esac
    fi
    same "$ours" "$theirs" "$words under a $kind lock of $file"
  done
  release
}
# Waiting takes most of the time: side by side.
parts=()
for kind in write read; do
  for file in "$DRIVER-layers/layers.lock" "$DRIVER-images/images.lock" "$DRIVER-containers/containers.lock"; do
    (held $kind "$file") & parts+=($!)
  done
done
for part in "${parts[@]}"; do wait "$part"; done
