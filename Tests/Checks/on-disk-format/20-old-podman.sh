# SPDX-License-Identifier: Apache-2.0
# on-disk-format 20: Podman 4.3.1 lists, runs and removes in a store of ours and leaves volatile files alone.
demo_image; sw load -q demo-docker-archive.tar >/dev/null
sw create-container --volatile --id vol localhost/stowage-demo:latest >/dev/null
cp "$G/$DRIVER-containers/volatile-containers.json" "$G/$DRIVER-layers/volatile-layers.json" .
pm images | grep -q localhost/stowage-demo || fail "not listed"
same "$(pm run --network none --name one localhost/stowage-demo echo from inside)" "from inside"
pm rm one >/dev/null; same "$(sw containers -j | jq -r ".[].id")" vol; sw layers >/dev/null
cmp volatile-containers.json "$G/$DRIVER-containers/volatile-containers.json"; cmp volatile-layers.json "$G/$DRIVER-layers/volatile-layers.json"
