# SPDX-License-Identifier: Apache-2.0
# chunked-and-composefs 12 and 13: an image that was loaded from an OCI layout, seen by the others; loaded again under another name.
demo_image; mkdir oci; tar -C oci -xf demo-oci-archive.tar; sw load -q -n localhost/one:1 oci >/dev/null
pm images --digests | grep -q localhost/one; pm image inspect localhost/one:1 >/dev/null; same "$(pm run --rm --network none localhost/one:1 echo hi)" hi; pm image tree localhost/one:1 >/dev/null
printf '{"default":[{"type":"insecureAcceptAnything"}]}\n' >policy.json; mkdir out
skopeo --policy policy.json copy -q "containers-storage:[$DRIVER@$G+$R]localhost/one:1" dir:out
for d in $(sw image -j localhost/one:1 | jq -r '.[0].layer' | while read -r l; do while [ -n "$l" ] && [ "$l" != null ]; do jq -r --arg l "$l" '.[] | select(.id==$l) | ."diff-digest"' "$(records layers)"; l=$(jq -r --arg l "$l" '.[] | select(.id==$l) | .parent // ""' "$(records layers)"); done; done); do
  test -e "out/${d#sha256:}" || fail "no layer $d"
done
created=$(jq -r '.[0].created' "$(records images)"); layers=$(sw layers -q)
sw load -q -n localhost/two:2 oci >/dev/null
same "$(jq -c '[.[] | [.names, .created]]' "$(records images)")" "[[[\"localhost/two:2\",\"localhost/one:1\"],\"$created\"]]"; same "$(sw layers -q)" "$layers"
skopeo --policy policy.json copy -q dir:out "containers-storage:[$DRIVER@$G+$R]localhost/three:3"; same "$(sw layers -q)" "$layers"
for l in $layers; do same "sha256:$(sw diff -u "$l" | sha256sum | cut -d' ' -f1)" "$(jq -r --arg l "$l" '.[] | select(.id==$l) | ."diff-digest"' "$(records layers)")"; done
