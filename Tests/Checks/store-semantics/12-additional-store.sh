# SPDX-License-Identifier: Apache-2.0
# store-semantics 12: layers and images of an additional store.
small_stack; sw delete-container ctr >/dev/null; mv g add; swa() { local c=$1; shift; sw "$c" --storage-opt "$DRIVER.imagestore=$T/add" "$@"; }
swa images -q | grep -qx img
says "mounting read/only store images is not allowed: called a write method on a read-only store" swa mount child
says "identifier is not an image" swa delete-image img
swa add-names -n x img; same "$(swa images -q | grep -cx img)" 2
swa create-container --id ctr img >/dev/null
if swa check >check.out 2>&1; then :; else case $(cat check.out) in *"not yet available"*) ;; *) fail "$(cat check.out)" ;; esac; fi
