# SPDX-License-Identifier: Apache-2.0
# on-disk-format 13: an image is found by the digest of each of its manifests.
echo '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"}' >m1
echo '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","x":1}' >m2
d1=sha256:$(sha256sum <m1 | cut -d' ' -f1); d2=sha256:$(sha256sum <m2 | cut -d' ' -f1)
sw create-layer --id lay >/dev/null; sw create-image --id img -n img lay >/dev/null
sw set-image-data -f m1 img manifest; sw set-image-data -f m2 img "manifest-$d2"
for d in "$d1" "$d2"; do
  same "$(sw images-by-digest -q "$d")" img "$d"; same "$(cs images-by-digest -q "$d")" img "reference, $d"
done
