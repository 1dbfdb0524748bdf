#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One process of the test of shared image stores: random operations through one graph root, some of them killed.
#
# usage: sharing-worker.sh DIRECTORY PROGRAM DRIVER ROOT NUMBER SECONDS
# Containers that are surely there go to DIRECTORY/ledger.NUMBER (name and token); what must not happen, to
# DIRECTORY/failures.NUMBER; verbs that succeeded, to DIRECTORY/done.NUMBER.
set -u
directory=$1 program=$2 driver=$3 root=$4 number=$5 seconds=$6
ledger=$directory/ledger.$number failures=$directory/failures.$number
options=(--graph "$directory/$root" --run "$directory/run-$root" -s "$driver")
if [ "$root" = d ]; then
  options+=(--storage-opt "$driver.imagestore=$directory/i")
else
  options+=(--image-store "$directory/i")
fi
touch "$ledger" "$failures"
images=(one two three)

# run VERB ARGUMENTS: output in $out, messages in $err. A status beyond 128 that nobody asked for is a failure.
run() {
  out=$("$program" "$1" "${options[@]}" "${@:2}" 2>"$directory/err.$number")
  status=$?
  err=$(cat "$directory/err.$number")
  [ "$status" -ne 0 ] || echo "$1" >>"$directory/done.$number"
  if [ "$status" -gt 125 ]; then echo "status $status of $*: $err" >>"$failures"; fi
  case "$err" in
    *orrupt* | *damaged* | *"digest mismatch"* | *"no such file"* | *"not supported"*) echo "$*: $err" >>"$failures" ;;
  esac
  return "$status"
}

# killed VERB ARGUMENTS: dies after a random time of up to 80 ms, or ends before.
killed() {
  timeout -s KILL "0.0$((RANDOM % 80 / 10))$((RANDOM % 10))" "$program" "$1" "${options[@]}" "${@:2}" >/dev/null 2>&1
} 2>/dev/null

# check NAME TOKEN: the container has its image's content and what was written into it.
check() {
  run mount "$1" || { echo "cannot mount $1 of $root: $err" >>"$failures"; return; }
  local place=$out
  [ "$(cat "$place/token" 2>&1)" = "$2" ] || echo "container $1 of $root has lost its token" >>"$failures"
  [ "$(cat "$place/base" 2>&1)" = "base of ${2%%-*}" ] || echo "container $1 of $root has lost its base" >>"$failures"
  [ "$(cat "$place/top" 2>&1)" = "top of ${2%%-*}" ] || echo "container $1 of $root has lost its top" >>"$failures"
  run unmount "$1"
}

make() {
  local image=$1 kill=$2
  $kill import-layer -r -i "base-$image" -f "$directory/$image-base.tar"
  $kill import-layer -r -i "top-$image" -f "$directory/$image-top.tar" "base-$image"
  $kill create-image -i "$image" -n "name-$image" "top-$image"
}

create() {
  local image=$1 name=$root-$number-$SECONDS-$RANDOM
  run create-container -n "$name" "name-$image" || return
  run mount "$name" || { [ "$root" = d ] || echo "cannot mount the new $name: $err" >>"$failures"; return; }
  case "$out" in "$directory"/*) echo "$image-$name" >"$out/token" ;; esac
  run unmount "$name"
  [ "$root" = d ] || echo "$name $image-$name" >>"$ledger"
}

forget() {
  local line
  line=$(shuf -n1 "$ledger")
  [ -n "$line" ] || return
  grep -vxF -- "$line" "$ledger" >"$ledger.new"
  mv "$ledger.new" "$ledger"
  $1 delete-container "${line%% *}"
}

SECONDS=0
# Each verb once, whatever chance brings later.
if [ "$root" != d ]; then
  make one run
  create one
  forget run
  run relocate -q --to image-store name-one
fi
while [ "$SECONDS" -lt "$seconds" ]; do
  image=${images[RANDOM % 3]}
  kill=run
  [ $((RANDOM % 4)) -ne 0 ] || kill=killed
  case $((RANDOM % 10)) in
    0 | 1) [ "$root" = d ] || make "$image" "$kill" ;;
    2 | 3) if [ "$kill" = killed ]; then killed create-container "name-$image"; else create "$image"; fi ;;
    4 | 5) for _ in 1 2 3 4; do forget "$kill"; done ;;
    6) [ "$root" = d ] || $kill delete-image "name-$image" ;;
    7) [ "$root" = d ] || $kill relocate -q --to image-store "name-$image" ;;
    8) [ "$root" = d ] || $kill relocate -q --to graph-root "name-$image" ;;
    9)
      line=$(shuf -n1 "$ledger")
      if [ -n "$line" ]; then
        # shellcheck disable=SC2086
        check $line
      else
        $kill images
      fi
      ;;
  esac
done
# So that somebody has survived, whatever chance has deleted.
if [ "$root" != d ]; then
  make two run
  create two
fi
while read -r line; do
  # shellcheck disable=SC2086
  check $line
done <"$ledger"
exit 0
