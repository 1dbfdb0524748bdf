# SPDX-License-Identifier: Apache-2.0
# changes-1.64 8: a layer of the graph root with the identifier of one of the additional store is not mixed in.
# drivers: overlay
small_stack; sw delete-container ctr >/dev/null; umount g/overlay 2>/dev/null || true; mv g add; swa() { local c=$1; shift; sw "$c" --storage-opt overlay.imagestore=$T/add "$@"; }
swa create-container --id ctr img >/dev/null; mkdir other; echo other >other/a; tar -C other -cf other.tar .
sw import-layer --id base -f other.tar >/dev/null; m=$(swa mount ctr); same "$(cat "$m/a")" a; swa unmount ctr >/dev/null
