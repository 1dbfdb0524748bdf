# SPDX-License-Identifier: Apache-2.0
# on-disk-format 2: the same commands give the same files with the same modes, whatever the umask.
small_tar a.tar
build() {
  $1 import-layer -r --id base -f a.tar ""; $1 create-layer --id child base
  $1 create-image --id img -n img base; $1 create-container --id ctr -n ctr img
  $1 set-image-data -f a.tar img key; $1 set-container-data -f a.tar ctr key; $1 set-layer-data -f a.tar base key
  $1 add-names -n z ctr; $1 create-container --volatile --id vol img
}
listing() {
  (cd "$1" && find g r -printf '%M %s %P\n') |
    sed -E 's/[A-Z2-7]{26}/LINK/g; s/[0-9a-f]{64}/ID/g; s/temp-dir-[0-9]+/TEMP/' |
    # What Debian's older program does not know or makes otherwise (on-disk-format 18), and our reserve of space.
    grep -Ev '(volatile-[a-z]*\.json|/lower-layers|/tempdirs|-layers/tmp| mounts| tmp| space-reserve(/[0-9])?)$' | sed -E 's#^drwxr-xr-x (.*overlay(/l)?)$#drwx------ \1#; s|^dr-x------ (.*/diff)$|dr-xr-xr-x \1|; s|^dr-x------ (.*vfs/dir/.*)$|dr-xr-xr-x \1|' |
    # Link names are random; sizes of directories and of files with times differ.
    sed -E 's/^(d[^ ]*) [0-9]+/\1/; s/^(-[^ ]*) [0-9]+ (.*(json|gz))$/\1 \2/; s/^(l[^ ]*) [0-9]+/\1/' | sort
}
for mask in 022 077; do
  umask $mask
  for who in cs sw; do
    mkdir -p $who.$mask; G=$T/$who.$mask/g R=$T/$who.$mask/r
    build $who >/dev/null
    listing $who.$mask >$who.$mask.list
  done
  diff cs.$mask.list sw.$mask.list || fail "umask $mask"
done
for who in cs sw; do G=$T/$who.fresh/g R=$T/$who.fresh/r; mkdir $who.fresh; $who images; listing $who.fresh >$who.fresh.list; done
diff cs.fresh.list <(grep -v 'vfs/dir$' sw.fresh.list) || fail "a fresh root"
