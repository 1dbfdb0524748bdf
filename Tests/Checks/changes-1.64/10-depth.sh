# SPDX-License-Identifier: Apache-2.0
# changes-1.64 10: sixty layers with long identifiers.
# drivers: overlay
p=""; for i in $(seq 60); do p=$(sw create-layer -r --id "$(printf '%064x' "$i")" $p | first); done
for who in cs sw; do $who mount "$p" >/dev/null; sw unmount "$p" >/dev/null; done
