# SPDX-License-Identifier: Apache-2.0
# graph-drivers 11: a volatile container can be mounted again.
# drivers: overlay
small_stack; sw create-container --volatile --id v img >/dev/null
L=$(jq -r '.[] | select(.id=="v") | .layer' "$G/overlay-containers/volatile-containers.json")
sw mount v >/dev/null; test -d "$G/overlay/$L/work/work/incompat/volatile"; sw unmount v >/dev/null; sw mount v >/dev/null; sw unmount v >/dev/null
