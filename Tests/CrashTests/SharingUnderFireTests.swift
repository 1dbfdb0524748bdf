// SPDX-License-Identifier: Apache-2.0

import StowageSystem
import StowageTestSupport
import SystemPackage
import Testing

/// Three graph roots on one image store, of which one pins what it needs, and a fourth that lists it as additional store: eight
/// processes load, create, mount, move and delete, and are killed at random. Nobody's container may suffer, and nothing may be
/// left.
@Suite("Sharing under fire", .tags(.root, .slow), .serialized, .enabled(if: isRoot, "overlay mounts need root"))
struct SharingUnderFireTests {
  private var seconds: Int { environmentValue("STOWAGE_FIRE_SECONDS").flatMap { Int($0) } ?? 6 }

  @Test(.tags(.driver), arguments: ["overlay", "vfs"])
  func `Graph roots that share an image store do not hurt each other`(driver: String) throws {
    let scratch = try TemporaryDirectory("fire")
    let place = scratch.path.string
    defer {
      for path in MountTable.mounts(below: scratch.path).reversed() { try? Syscall.umount(path, flags: .detach) }
    }
    let program = try stowageExecutable().string
    try prepare(place)
    var workers: [RunningProcess] = []
    for (number, root) in ["a", "a", "b", "b", "c", "c", "d", "d"].enumerated() {
      workers.append(
        try start(
          [
            repositoryFile("Tests/CrashTests/sharing-worker.sh").string, place, program, driver, root, "\(number)",
            "\(seconds)",
          ], adding: ["CONTAINERS_STORAGE_CONF": place + (root == "b" ? "/pins.conf" : "/storage.conf")]))
    }
    for worker in workers { #expect(try worker.wait().isSuccess) }
    let failures = try shell("cat \(place)/failures.* | sort | uniq -c").outputText
    #expect(failures == "")
    let survivors = try shell("cat \(place)/ledger.* | wc -l").outputText.filter(\.isNumber)
    #expect((Int(survivors) ?? 0) > 0, "no container was left to look at")
    let done = Set(try shell("cat \(place)/done.* | sort -u").outputText.split(separator: "\n").map(String.init))
    let wanted: Set = ["import-layer", "create-image", "create-container", "mount", "relocate", "delete-container"]
    #expect(done.isSuperset(of: wanted), "never done: \(wanted.subtracting(done))")
    let left = try audit(place, program, driver)
    #expect(left == "")
  }

  /// Archives of the three images, and the places.
  private func prepare(_ place: String) throws {
    let script = """
      cd \(place) && mkdir a b c d i && : >storage.conf && printf '[storage]\\ndriver = "vfs"\\n' >storage.conf
      printf 'graphroot = "%s/x"\\nrunroot = "%s/y"\\n' \(place) \(place) >>storage.conf
      { cat storage.conf; printf '[storage.options]\\npin_layers = true\\n'; } >pins.conf
      for image in one two three; do for part in base top; do
        mkdir -p t/$image-$part && echo "$part of $image" >t/$image-$part/$part
        head -c 20000 /dev/urandom >t/$image-$part/$part.random
        tar -C t/$image-$part -cf $image-$part.tar . || exit 1
      done; done
      """
    let result = try run(["bash", "-c", script])
    if !result.isSuccess { throw FixtureError(text: "\(result)") }
  }

  /// What belongs to nobody, after every graph root was opened once more; through each of them.
  private func audit(_ place: String, _ program: String, _ driver: String) throws -> String {
    let home = driver == "overlay" ? "overlay" : "vfs/dir"
    let script = """
      cd \(place)
      for round in 1 2; do for root in a b c; do for verb in layers images containers; do
        \(program) $verb --graph \(place)/$root --run \(place)/run-$root --image-store \(place)/i -s \(driver) \
          >/dev/null || echo "$verb fails on $root"
      done; done; done
      # Pins follow with the next change of their graph root.
      for verb in create-layer delete-layer; do
        [ $verb = create-layer ] && id="--id last" || id=last
        CONTAINERS_STORAGE_CONF=pins.conf \(program) $verb --graph \(place)/b --run \(place)/run-b \
          --image-store \(place)/i -s \(driver) $id >/dev/null
      done
      pins=$(jq -r '.[] | select(.flags["stowage-pin"]) | .parent' i/\(driver)-layers/layers.json | sort)
      needed=$(jq -r '[.[].id] as $own | .[].parent | select(. != null and (IN($own[]) | not))' \
        b/\(driver)-layers/layers.json | sort -u)
      [ "$pins" = "$needed" ] || echo "pinned is" $pins "but needed is" $needed
      for root in a b c; do
        \(program) check --graph \(place)/$root --run \(place)/run-$root --image-store \(place)/i -s \(driver) \
          2>&1 | sed "s/^/$root: check: /"
      done
      \(program) check --graph \(place)/i --run \(place)/run-i -s \(driver) 2>&1 | sed "s/^/i: check: /"
      for root in a b c i; do cd \(place)/$root
        ids=$(jq -r '.[].id' \(driver)-layers/layers.json)
        for d in \(home)/*/; do n=$(basename "$d"); case "$n" in l|tempdirs|staging|'*') continue;; esac
          echo "$ids" | grep -qxF -- "$n" || echo "$root: directory $n"; done
        for id in $ids; do [ -d "\(home)/$id" ] || echo "$root: no directory for $id"; done
        grep -o '"incomplete":true' \(driver)-layers/layers.json
        jq -r '.[] | select(.flags != null and .flags["stowage-pin"] == null) | .id + " " + (.flags | tostring)' \(driver)-layers/layers.json \
          | sed "s/^/$root: flags of /"
        [ ! -e \(driver)-images/images.json ] || jq -r '.[].layer' \(driver)-images/images.json | while read -r layer; do
          cat \(driver)-layers/layers.json \(place)/i/\(driver)-layers/layers.json | jq -r '.[].id' \
            | grep -qxF -- "$layer" || echo "$root: an image has lost $layer"; done
        [ ! -e \(driver)-containers/containers.json ] || jq -r '.[].layer' \(driver)-containers/containers.json \
          | while read -r layer; do echo "$ids" | grep -qxF -- "$layer" || echo "$root: a container has lost $layer"; done
        jq -r '.[] | select(.parent != null) | .parent' \(driver)-layers/layers.json | sort -u | while read -r parent; do
          cat \(driver)-layers/layers.json \(place)/i/\(driver)-layers/layers.json | jq -r '.[].id' \
            | grep -qxF -- "$parent" || echo "$root: a layer has lost its parent $parent"; done
        [ ! -d overlay/l ] || find overlay/l -xtype l | sed "s/^/$root: dangling /"
        find . -maxdepth 2 -name '.tmp-*'
        find overlay/tempdirs vfs/tempdirs \(driver)-layers/tmp -mindepth 1 -maxdepth 1 2>/dev/null | sed "s/^/$root: /"
      done
      grep -o ' \(place)/[^ ]*merged' /proc/self/mountinfo
      true
      """
    return try run(["bash", "-c", script]).outputText
  }
}
