# SPDX-License-Identifier: Apache-2.0
# graph-drivers 9: an additional store is not touched by whatever happens on top of it.
small_stack; sw delete-container ctr >/dev/null; mv g add
list() { find add -printf '%p %i %m %T@ %s %l\n' | sort; }
list >before; swa() { local c=$1; shift; sw "$c" --storage-opt "$DRIVER.imagestore=$T/add" "$@"; }
swa create-container --id ctr -n ctr img >/dev/null; m=$(swa mount ctr); echo x >"$m/new"; swa unmount ctr >/dev/null
swa diff -u -f d.tar "$(container_layer)"; swa diff -u child >/dev/null
swa import-layer --id base -f l2.tar >/dev/null 2>&1 || true
swa add-names -n other img; swa delete-container ctr >/dev/null; swa delete-image img >/dev/null; swa gc >/dev/null; swa dedup >/dev/null; swa check >/dev/null; swa wipe >/dev/null
list | diff before -
