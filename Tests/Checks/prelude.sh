# SPDX-License-Identifier: Apache-2.0
# Sourced by each check. Set: SW, the program under test; DRIVER; T, an empty scratch directory, the working directory.
set -euo pipefail
export LC_ALL=C HOME=$T
export CONTAINERS_STORAGE_CONF=$T/storage.conf CONTAINERS_CONF=$T/containers.conf
printf '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]\n' >"$CONTAINERS_CONF"
G=$T/g R=$T/r
printf '[storage]\ndriver = "%s"\ngraphroot = "%s"\nrunroot = "%s"\n' "$DRIVER" "$G" "$R" >"$CONTAINERS_STORAGE_CONF"
CS=${CS:-containers-storage}
trap 'echo "check: line $LINENO failed: $BASH_COMMAND" >&2' ERR

# The program under test, Debian's containers-storage and Podman on the store G, R. Usage: sw COMMAND [OPTION…] [ARGUMENT…]
sw() { local c=$1; shift; "$SW" "$c" --graph "$G" --run "$R" -s "$DRIVER" "$@"; }
cs() { local c=$1; shift; "$CS" "$c" --graph "$G" --run "$R" -s "$DRIVER" "$@"; }
pm() {
  podman --root "$G" --runroot "$R" --storage-driver "$DRIVER" --runtime runc --cgroup-manager cgroupfs \
    --events-backend none "$@"
}

fail() { echo "check: $*" >&2; exit 1; }
# same A B [WHAT]: two texts are equal.
same() { [ "$1" = "$2" ] || fail "${3:-texts differ}: «$1» is not «$2»"; }
# says TEXT COMMAND…: the command fails and its output contains the text.
says() {
  local text=$1 shown status=0; shift
  shown=$("$@" 2>&1) || status=$?
  [ $status -ne 0 ] || fail "no failure: $*"
  case $shown in *"$text"*) ;; *) fail "$*: «$shown» does not say «$text»" ;; esac
}
# refused COMMAND…: the command fails.
refused() { if "$@" >refused.out 2>&1; then fail "no failure: $*: $(cat refused.out)"; fi; }
first() { sed -n 1p; }
# record KIND [ROOT]: the record file of layers, images or containers.
records() { echo "${2:-$G}/$DRIVER-$1/$1.json"; }
layer_home() { if [ "$DRIVER" = vfs ]; then echo vfs/dir; else echo "$DRIVER"; fi; }
# tree DIRECTORY: the directory in which the driver has what the layer shows of its own.
content() { if [ "$DRIVER" = vfs ]; then echo "$G/vfs/dir/$1"; else echo "$G/$DRIVER/$1/diff"; fi; }
# small_tar FILE TEXT…: a tar whose file a has a text.
small_tar() { local f=$1 d; d=$(mktemp -d "$T/tar.XXXXXX"); echo "${2:-hello}" >"$d/a"; mkdir "$d/d1"; echo x >"$d/d1/x"; tar -C "$d" -cf "$f" .; rm -r "$d"; }
# hold FILE KIND SECONDS: a process with a record lock (read or write) on the file; its number is in HOLDER.
hold() {
  local kind=F_WRLCK; [ "$2" = write ] || kind=F_RDLCK
  python3 -c '
import fcntl, os, sys, time
f = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o644)
fcntl.lockf(f, fcntl.LOCK_EX if sys.argv[2] == "F_WRLCK" else fcntl.LOCK_SH)
print("held", flush=True); time.sleep(float(sys.argv[3]))' "$1" $kind "${3:-60}" >"$T/held" &
  HOLDER=$!
  while ! grep -q held "$T/held" 2>/dev/null; do sleep 0.02; done
  rm "$T/held"
}
release() { kill "$HOLDER"; wait "$HOLDER" 2>/dev/null || true; }
# demo_image: makes demo-docker-archive.tar, an image of two layers named localhost/stowage-demo that prints what it is told to.
demo_image() { "$CHECKS/../../scripts/make-demo-image" "$T" >/dev/null; }
# small_stack: layers base (a, d1/x) and child (b, without d1/x, an opaque d2), image img, container ctr.
small_stack() {
  mkdir -p s1/d1 s2/d1 s2/d2; echo a >s1/a; echo x >s1/d1/x; echo b >s2/b; touch s2/d1/.wh.x s2/d2/.wh..wh..opq
  tar -C s1 -cf l1.tar .; tar -C s2 -cf l2.tar .
  local who=${1:-sw}
  $who import-layer -r --id base -f l1.tar >/dev/null; $who import-layer -r --id child -f l2.tar base >/dev/null
  $who create-image --id img -n img child >/dev/null; $who create-container --id ctr -n ctr img >/dev/null
}
container_layer() { jq -r --arg c "${1:-ctr}" '.[] | select(.id==$c) | .layer' "$(records containers)"; }
