# SPDX-License-Identifier: Apache-2.0
# archive-and-diff 13: digests of layers that Podman made, and Podman's checks of ours.
demo_image
pm load -q -i demo-docker-archive.tar >/dev/null
for l in $(sw layers -q); do same "sha256:$(sw diff -u "$l" | sha256sum | cut -d' ' -f1)" "$(jq -r --arg l "$l" '.[] | select(.id==$l) | ."diff-digest"' "$(records layers)")"; done
pm rmi -f localhost/stowage-demo >/dev/null; same "$(sw layers -q)" ""
sw load -q demo-docker-archive.tar >/dev/null
pm save -q -o saved.tar localhost/stowage-demo; mkdir out; pm push -q localhost/stowage-demo dir:"$T/out"
[ "$(find out -size +1k -type f | wc -l)" -ge 2 ]
