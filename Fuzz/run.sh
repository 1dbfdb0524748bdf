#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds all fuzz targets with libFuzzer and the address sanitizer and runs one, or each for some seconds.
set -eu
cd "$(dirname "$0")/.."
work=.build/fuzz
targets=$(cd Fuzz/Targets && ls ./*.swift | sed 's,^\./\(.*\)\.swift$,\1,' | tr '\n' ' ')

usage() {
  cat >&2 <<END
usage: Fuzz/run.sh TARGET [libFuzzer options]   fuzz one target, e.g. with -max_total_time=60
       Fuzz/run.sh TARGET FILE...               try these inputs, once each
       Fuzz/run.sh --all SECONDS                fuzz each target so long, up to the first finding
targets: $targets
END
  exit 64
}

# Optimised for speed, but with the messages of preconditions and the bounds checks of raw buffers that only debug
# builds have otherwise. Both sanitizers are named in one option, since the compiler obeys the last only; the package
# manager has to hear of libFuzzer, too, to leave `main` to it. The linker must not strip, for it takes the counters of
# coverage for unused.
build() {
  swift build -c release --product fuzz --scratch-path $work/build --disable-dead-strip -Xswiftc -use-ld=lld \
    --sanitize=fuzzer -Xswiftc -sanitize=fuzzer,address -Xcc -fsanitize=address \
    -Xswiftc -DLIBFUZZER -Xswiftc -assert-config -Xswiftc Debug
}

# The address sanitizer would keep 256 MiB of freed memory from being used again, and the time goes into fresh pages.
export ASAN_OPTIONS="quarantine_size_mb=4:${ASAN_OPTIONS-}"

# Swift's own report of a trap reads memory that the sanitizer forbids; libFuzzer has one as well.
export SWIFT_BACKTRACE=enable=no

# What targets put on disk goes into memory where there is room for it.
TMPDIR=$(mktemp -d -p /dev/shm 2>/dev/null || mktemp -d)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
trap 'exit 130' INT TERM

# fuzz TARGET [arguments of libFuzzer]
fuzz() {
  target=$1
  shift
  mkdir -p "$work/findings/$target"
  "$work/build/release/fuzz" "--target=$target" "-artifact_prefix=$work/findings/$target/" -timeout=10 "$@"
}

# Writes the seeds of a target into its corpus, which keeps what earlier runs found interesting, and names that.
corpus() {
  mkdir -p "$work/corpus/$1"
  Fuzz/seed.sh "$1" "$work/corpus/$1"
  echo "$work/corpus/$1"
}

# Fuzzes a target for some seconds. The status 255 says that there is a finding, and lets xargs start nothing more.
turn() {
  log=$work/$1.log
  if fuzz "$1" "$(corpus "$1")" -max_total_time="$2" >"$log" 2>&1; then
    echo "$1: $(tail -n 1 "$log")"
    return
  fi
  tail -n 100 "$log"
  input=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
  echo "$1: a finding, see $log; to reproduce it: Fuzz/run.sh $1 $input"
  exit 255
}

# As many targets at once as there are processors.
all() {
  # shellcheck disable=SC2086
  printf '%s\n' $targets | xargs -P "$(nproc)" -I '{}' Fuzz/run.sh --turn '{}' "$1" || exit 1
}

case ${1-} in
  "" | -h | --help) usage ;;
  --all)
    case ${2-} in "" | *[!0-9]*) usage ;; esac
    build
    all "$2" ;;
  # Without a build: for `all`.
  --turn) turn "$2" "$3" ;;
  *)
    target=$1
    shift
    case " $targets" in *" $target "*) ;; *) usage ;; esac
    build
    for argument; do case $argument in -*) ;; *) fuzz "$target" "$@"; exit ;; esac; done
    fuzz "$target" "$(corpus "$target")" "$@" ;;
esac
