# SPDX-License-Identifier: Apache-2.0
# graph-drivers 6: deep chains mount, and the reference unmounts them.
# drivers: overlay
mkdir s; echo base >s/of-base; tar -C s -cf a.tar .; sw import-layer -r --id d0 -f a.tar >/dev/null
for i in $(seq 140); do sw create-layer -r --id d$i d$((i - 1)) >/dev/null; done
for i in 60 72 76 140; do sw create-layer --id top$i d$i >/dev/null; m=$(sw mount top$i); same "$(cat "$m/of-base")" base; cs unmount top$i >/dev/null; done
