#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds one fuzz target and runs it: Fuzz/run.sh tar|pax|tarsplit|decoders|records|toml [libFuzzer options]
# Example: Fuzz/run.sh tar -max_total_time=60 -rss_limit_mb=1024
set -eu
cd "$(dirname "$0")/.."
target=$1
shift
work=.build/fuzz/$target
mkdir -p "$work/Sources/$target" "$work/corpus"
for module in StowageModel StowageCompression StowageArchive CIsal CZstd CLzma CBz2; do
  ln -sfn "$PWD/Sources/$module" "$work/Sources/$module"
done
cp "Fuzz/$target.swift" "$work/Sources/$target/fuzz.swift"
# The parser of configuration files is no module of its own.
if [ "$target" = toml ]; then cp Sources/StowageConfig/TOML/*.swift "$work/Sources/$target/"; fi
# The package manager gives the program's entry point a name of its own, so libFuzzer's has to be called.
cat > "$work/Sources/$target/driver.swift" <<END
@_silgen_name("LLVMFuzzerRunDriver")
func runDriver(
  _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
  _ body: @convention(c) (UnsafePointer<UInt8>, Int) -> CInt) -> CInt
@_cdecl("${target}_main")
public func driver(_ count: CInt, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> CInt {
  var count = count
  var arguments = arguments
  return runDriver(&count, &arguments) { fuzz(\$0, \$1) }
}
END
cat > "$work/Package.swift" <<END
// swift-tools-version: 6.2
import PackageDescription
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("InternalImportsByDefault"), .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"), .unsafeFlags(["-sanitize=fuzzer,address", "-O"]),
]
let package = Package(
  name: "fuzz",
  targets: [
    .systemLibrary(name: "CIsal", pkgConfig: "libisal"), .systemLibrary(name: "CZstd", pkgConfig: "libzstd"),
    .systemLibrary(name: "CLzma", pkgConfig: "liblzma"), .systemLibrary(name: "CBz2"),
    .target(name: "StowageModel", exclude: ["README.md"], swiftSettings: strict),
    .target(
      name: "StowageCompression", dependencies: ["StowageModel", "CIsal", "CZstd", "CLzma", "CBz2"],
      exclude: ["README.md"], swiftSettings: strict),
    .target(
      name: "StowageArchive", dependencies: ["StowageModel", "StowageCompression"], exclude: ["README.md"],
      swiftSettings: strict),
    .executableTarget(
      name: "$target", dependencies: ["StowageModel", "StowageArchive", "StowageCompression"],
      swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])],
      linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address"])]),
  ], swiftLanguageModes: [.v6])
END
# Seeds: what the usual programs write.
if [ -z "$(ls -A "$work/corpus")" ]; then
  case $target in
    tar)
      for format in v7 ustar gnu posix; do tar --format=$format -cf "$work/corpus/$format" Fuzz Package.swift; done
      tar --format=posix --sparse -cf "$work/corpus/sparse" Fuzz ;;
    pax) printf '19 path=some/where\n13 size=1024\n' > "$work/corpus/path"
      printf '22 GNU.sparse.major=0\n22 GNU.sparse.minor=1\n26 GNU.sparse.numblocks=1\n22 GNU.sparse.map=0,9\n' > "$work/corpus/sparse" ;;
    tarsplit) printf '{"type":2,"payload":"YWI=","position":0}\n{"type":1,"name":"a\\u0026","size":5,"payload":"PD7u4tgQAAA=","position":1}\n' > "$work/corpus/two" ;;
    records) for kind in layers images containers; do
        find Tests/Fixtures -name "*$kind.json" | while read -r file; do cp "$file" "$work/corpus/$(echo "$file" | tr / _)"; done
      done
      printf '[{"id":"a","names":["n"],"flags":{"x":1},"uidmap":[{"container_id":0,"host_id":1,"size":2}]}]' > "$work/corpus/small" ;;
    toml) printf '[storage]\ndriver = "overlay"\n[storage.options]\nadditionalimagestores = ["/a", '"'/b'"']\nx.y = {z = 0x1F}\n' > "$work/corpus/small" ;;
    decoders) for program in gzip bzip2 xz zstd; do $program -c < Package.swift > "$work/corpus/$program"; done ;;
  esac
fi
(cd "$work" && swift build -j 2)
exec "$work/.build/debug/$target" "$work/corpus" "$@"
