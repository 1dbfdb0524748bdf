# SPDX-License-Identifier: Apache-2.0
# configuration-and-idmaps 29: a mount label is recorded and used.
# drivers: overlay
[ ! -e /sys/fs/selinux/enforce ] || exit 0
sw create-layer --id lay --label L --json | jq -e '.mountlabel == "L"' >/dev/null
says 'context=\"L\"' sw mount lay
