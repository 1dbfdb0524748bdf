# SPDX-License-Identifier: Apache-2.0
# store-semantics 13: what a container of another graph root needs is not deleted; with force, that container can still be deleted.
IS=$T/i; one() { local c=$1; shift; "$SW" "$c" --graph "$T/g1" --run "$T/r1" -s "$DRIVER" --image-store "$IS" "$@"; }
two() { local c=$1; shift; "$SW" "$c" --graph "$T/g2" --run "$T/r2" -s "$DRIVER" --image-store "$IS" "$@"; }
small_tar l1.tar; one import-layer -r --id base -f l1.tar >/dev/null; one create-image --id img -n img base >/dev/null
two create-container --id ctr -n ctr img >/dev/null; refused one delete-image img; m=$(two mount ctr); test -e "$m/a"; two unmount ctr >/dev/null
one delete-image --force img >/dev/null; two delete-container ctr >/dev/null
