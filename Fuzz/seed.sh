#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Writes the first inputs of a fuzz target: Fuzz/seed.sh TARGET DIRECTORY. A target not named below begins with none.
set -eu
cd "$(dirname "$0")/.."
target=$1
corpus=$2
samples=Tests/Fixtures/samples

# from_stores PATTERN: the files of the sample stores with such names, each under a name of its own.
from_stores() {
  unpacked=$(mktemp -d)
  for store in "$samples"/*-by-podman-*.tar.zst "$samples"/overlay*.tar.zst "$samples"/vfs*.tar.zst; do
    name=$(basename "$store" .tar.zst)
    mkdir "$unpacked/$name"
    zstd -qdc "$store" | tar -xf - -C "$unpacked/$name" --no-same-owner --wildcards "*-layers/$1" "*-images/$1" \
      "*-containers/$1" 2>/dev/null || true
  done
  (cd "$unpacked" && find . -name "$1" -type f) | while read -r file; do
    cp "$unpacked/$file" "$corpus/$(echo "${file#./}" | tr / _)"
  done
  rm -rf "$unpacked"
}

# pax NAME KEY=VALUE…: the data of a PAX header. A record's length counts its own digits.
pax() {
  file=$corpus/$1
  shift
  : >"$file"
  for record; do
    rest=$((${#record} + 2))
    length=$((rest + ${#rest}))
    if [ ${#length} -gt ${#rest} ]; then length=$((length + 1)); fi
    printf '%d %s\n' $length "$record" >>"$file"
  done
}

case $target in
  commandline)
    printf '%s\0' --quiet=0 -n NAME --opt=a -o b --digest=false --option "'c'" -- -x >"$corpus/options"
    printf '%s\0' -qn a '--name="quoted"' -q=t word -- -late >"$corpus/group"
    for text in 20G 1m 3µs 1h30m -1.5s 2ms 0 0:1000:65536 0:0:1:1:100000:65536; do
      printf %s "$text" >"$corpus/$(echo "$text" | tr : _)"
    done ;;
  documents)
    # A document's parts, see the target: `@1` is the digest of the next part, `#1` its size.
    layer='l\nlayer'
    config='{"created":"2024-01-02T03:04:05.6Z","os":"linux","architecture":"amd64","rootfs":{"type":"layers",'
    config="$config"'"diff_ids":["sha256:@1"]}}'
    oci=application/vnd.oci.image
    manifest='{"schemaVersion":2,"config":{"mediaType":"'$oci.config.v1+json'","digest":"sha256:@1","size":#1},"layers":['
    manifest="$manifest"'{"mediaType":"'$oci.layer.v1.tar'","digest":"sha256:@2","size":#2}]}'
    descriptor='{"mediaType":"'$oci.manifest.v1+json'","digest":"sha256:@1","size":#1'
    named=',"annotations":{"org.opencontainers.image.ref.name":"docker.io/library/a:b"}'
    platform=',"platform":{"os":"linux","architecture":"arm64","variant":"v8"}'
    images="@\n$manifest\0@\n$config\0@${layer#l}"
    index="index.json\n"'{"schemaVersion":2,"manifests":['"$descriptor$named"
    printf '%b' "$index}]}\0$images" >"$corpus/oci"
    printf '%b' "$index$platform}]}\0$images\0oci-layout\n"'{"imageLayoutVersion":"1.0.0"}' >"$corpus/oci-platform"
    printf '%b' 'index.json\n{"manifests":[{"mediaType":"'"$oci.index.v1+json"'","digest":"sha256:@1","size":#1}]}\0' \
      '@\n{"mediaType":"'"$oci.index.v1+json"'","manifests":['"$descriptor$platform}]}\0$images" >"$corpus/oci-nested"
    docker='manifest.json\n[{"Config":"c.json","RepoTags":["a:b","reg.io:5000/x/y:t"],"Layers":["l"]}]'
    printf '%b' "$docker\0c.json\n$config\0$layer" >"$corpus/docker"
    printf '%b' "$docker\0c.json\n$config\0>l\nm/../n\0n\nlayer" >"$corpus/docker-link"
    printf '%b' "$docker\0c.json\n$config\0$layer\0$index}]}\0$images" >"$corpus/both"
    tree=$(mktemp -d)
    echo '[]' >"$tree/manifest.json"
    ln -s manifest.json "$tree/index.json"
    head -c 2000 /dev/zero >"$tree/zeros"
    tar --format=ustar -b1 -C "$tree" -cf "$corpus/tar" zeros index.json manifest.json
    tar --format=gnu -S --hole-detection=raw -b1 -C "$tree" -cf "$corpus/tar-sparse" zeros manifest.json
    rm -rf "$tree" ;;
  extract | reassemble)
    # Bytes that stand for entries, see Fuzz/Support/LayerEntries.swift: six each, behind the target's own first ones.
    if [ "$target" = reassemble ]; then before='0 1 2'; else before='0 1 2 4 5 6'; fi
    directory='\2\1\0\0\0\1' below='\0\1\2\0\0\120' link='\4\3\0\0\4\0' through='\0\3\2\0\0\130'
    out='\4\2\0\0\377\0' into='\0\2\3\0\0\110' whiteout='\0\1\11\0\0\0' opaque='\0\1\12\0\0\0'
    hard='\6\2\1\0\24\1' fifo='\10\16\0\0\0\0' device='\16\3\16\0\1\0' file='\0\1\0\0\0\60'
    for first in $before; do
      # Changes of a re-assembly's tree come before the entries.
      case $target$first in reassemble*1) change='\0\1\0' ;; reassemble*2) change='\0\2\0\2\7\120' ;; *) change= ;; esac
      name=$corpus/$first
      change="\\$first$change"
      printf "$change$directory$below$link$through" >"$name-link"
      printf "$change$directory$out$into$fifo$device" >"$name-out"
      printf "$change$directory$below$whiteout$opaque$hard" >"$name-whiteout"
      printf "$change$whiteout$below$opaque$file$hard" >"$name-order"
    done ;;
  plans)
    # Flags, then link, lower and lower-layers of two layers, then entries of l.
    container='NX\0l/NP:l/QQ\0p:q' parent='NP\0l/QQ\0q' entries='NX\n../x/diff\0NP\n../p/diff'
    printf "\0$container\0$parent\0$entries" >"$corpus/whole"
    printf "\0-\0-\0-\0-\0-\0-\0" >"$corpus/lost"
    printf "\0$container\0$parent\0NX\n../y/diff\0NP\n/etc\0ZZ\n../x/diff" >"$corpus/astray"
    printf "12\0NX\0l/NP\0p:../x\0NX\0-\0-\0$entries" >"$corpus/odd" ;;
  tar)
    tree=$(mktemp -d)
    mkdir "$tree/directory"
    echo content >"$tree/directory/file"
    ln "$tree/directory/file" "$tree/hard"
    ln -s directory/file "$tree/link"
    : >"$tree/$(printf '%0120d' 0)"
    mkfifo "$tree/fifo"
    touch -d @1600000000 "$tree"/* "$tree"/directory/*
    for format in v7 ustar gnu "posix --pax-option=delete=atime,delete=ctime"; do
      # The long name does not fit into the oldest format.
      tar --format=$format -b1 -C "$tree" -cf "$corpus/${format%% *}" . 2>/dev/null || true
    done
    for part in 1 2; do echo data | dd of="$tree/sparse" bs=64k seek=$part conv=notrunc status=none; done
    for format in gnu "posix --sparse-version=0.0" "posix --sparse-version=0.1" "posix --sparse-version=1.0"; do
      tar --format=$format -S --hole-detection=raw -b1 -C "$tree" -cf "$corpus/sparse-${format##*[ =]}" sparse
    done
    rm -rf "$tree"
    # Small inputs run faster. Most pieces of these begin with a header.
    piece() { split -b 4096 -d - "$corpus/$1-"; }
    for archive in "$samples"/*.tar Tests/Fixtures/images/*.tar; do piece "$(basename "$archive")" <"$archive"; done
    gzip -dc "$samples/l2.tar.gz" | piece l2.tar
    zstd -qdc "$samples/l3.tar.zst" | piece l3.tar ;;
  pax)
    pax path path=some/where linkpath=else/where size=1024 uid=4294967295 gid=7 uname=u gname=g
    pax times mtime=1700000000.123456789 atime=-1.5 ctime=0
    pax attributes SCHILY.xattr.user.one=1 SCHILY.xattr.security.capability=12345678 SCHILY.xattr.user.one=2
    pax sparse-0.0 GNU.sparse.major=0 GNU.sparse.minor=0 GNU.sparse.size=2048 GNU.sparse.numblocks=1 \
      GNU.sparse.offset=512 GNU.sparse.numbytes=512
    pax sparse-0.1 GNU.sparse.major=0 GNU.sparse.minor=1 GNU.sparse.name=f GNU.sparse.size=2048 \
      GNU.sparse.numblocks=2 GNU.sparse.map=0,9,512,503
    pax sparse-1.0 GNU.sparse.major=1 GNU.sparse.minor=0 GNU.sparse.name=f GNU.sparse.realsize=2048 ;;
  tarsplit)
    from_stores '*.tar-split.gz'
    for file in "$corpus"/*.tar-split.gz; do gzip -dc "$file" >"${file%.gz}" && rm "$file"; done
    cat >"$corpus/two" <<'END'
{"type":2,"payload":"YWI=","position":0}
{"type":1,"name":"a\u0026\ud83d\ude00","size":5,"payload":"PD7u4tgQAAA=","position":1}
{"type":1,"name_raw":"//4=","payload":null,"position":2,"other":[{"x":null},true,1e5]}
END
    ;;
  records)
    for kind in layers images containers; do from_stores $kind.json; done
    printf '[{"id":"a","names":["n"],"flags":{"x":1},"uidmap":[{"container_id":0,"host_id":1,"size":2}]}]' \
      >"$corpus/small"
    printf '[{"id":"a","path":"/run/merged","count":2}]' >"$corpus/mounts" ;;
  storageconf | toml)
    cat >"$corpus/usual.conf" <<'END'
# A system's file.
[storage]
driver = "overlay"
runroot = "/run/containers/storage"
graphroot = '/var/lib/containers/storage'
transient_store = true
[storage.options]
additionalimagestores = [
  "/usr/lib/images", # read-only
  '/srv/images',
  {append = true},
]
auto-userns-max-size = 65_536
pull_options = {enable_partial_images = "true", use_hard_links = "false", ostree_repos = ""}
[storage.options.overlay]
mountopt = "nodev,metacopy=on"
size = ""
ignore_chown_errors = "false"
END
    cat >"$corpus/grammar.conf" <<'END'
a.b."c d" = """
several \
  lines\u00e9\U0001F600\t"""
e = '''literal
lines'''
n = [0x1F, 0o17, 0b11, -1_000, +7, 1.5e-3, inf, -nan, 1979-05-27T07:32:00.5+01:00, 07:32:00]
[[t.u]]
x = {y = {z = []}}
[[t.u]]
x = "\"\\"
END
    if [ "$target" = storageconf ]; then
      rm "$corpus/grammar.conf"
      cat >"$corpus/two.conf" <<'END'
STORAGE.Driver = "vfs"
storage.graphroot = "$V/${HOME}/$UID/../x"
storage.imagestore = "/images"
storage.rootless_storage_path = "/home"
storage.driver_priority = ["overlay", {append = true}, "vfs"]
storage.options.auto-userns-min-size = 7
storage.options.additionallayerstores = ["/layers:ref"]
storage.options.force_mask = 0o700
storage.options.vfs.ignore_chown_errors = "true"
storage.options.zfs.fsname = "tank"
END
      printf '\0' | cat - "$corpus/usual.conf" >>"$corpus/two.conf"
      printf '\0[storage]\nimagestore = ""\ngraphroot = "/upper"\n' >"$corpus/empty.conf"
      printf '[storage]\ndriver="vfs"\n\0[storage.options]\nsize="1G"\nunknown=1\n' >"$corpus/pieces.conf"
    fi ;;
  decoders)
    # With small windows and blocks, since most of the time goes into memory.
    for program in "gzip -1" "bzip2 -1" "xz -0" "zstd -q1 --zstd=wlog=10"; do
      name=${program%% *}
      head -c 2000 Fuzz/seed.sh | $program -c >"$corpus/$name"
      head -c 5000 /dev/zero | $program -c | cat "$corpus/$name" - >"$corpus/$name-twice"
    done
    printf 'P*M\030\003\000\000\000abc' | cat - "$corpus/zstd" >"$corpus/zstd-skippable"
    head -c 2000 Fuzz/seed.sh | xz -c --check=crc32 --delta=dist=4 --lzma2=dict=4KiB >"$corpus/xz-filters"
    cp "$samples/l2.tar.gz" "$samples/l3.tar.zst" "$corpus" ;;
esac
