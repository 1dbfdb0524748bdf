# SPDX-License-Identifier: Apache-2.0
# on-disk-format 12: items are stored under the reference's file names, and either program reads the other's.
sw create-layer --id lay >/dev/null; sw create-image --id img lay >/dev/null; sw create-container --id ctr img >/dev/null
keys=(manifest manifest-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 abcA Abc 'xé' '???' 'a b')
files() { (cd "$G" && find . -type f -path "*/$1/*" | sort); }
for kind in layer image container; do
  id=${kind:0:3}; [ $kind != container ] || id=ctr; [ $kind != image ] || id=img
  for k in "${keys[@]}"; do echo "$kind $k" >item; sw set-$kind-data -f item "$id" "$k"; same "$(cs get-$kind-data "$id" "$k")" "$kind $k"; done
  files $id >ours
  for k in "${keys[@]}"; do echo "again $k" >item; cs set-$kind-data -f item "$id" "$k"; same "$(sw get-$kind-data "$id" "$k")" "again $k"; done
  files $id >theirs; diff ours theirs
done
