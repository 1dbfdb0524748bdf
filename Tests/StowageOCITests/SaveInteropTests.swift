// SPDX-License-Identifier: Apache-2.0

import Glibc
import StowageDigest
import StowageModel
import StowageStore
import StowageTestSupport
import Testing

@testable import StowageOCI

/// What Stowage saves beside what Podman and Skopeo save of the same store, and in their hands.
@Suite(
  "Saved by Stowage", .tags(.root, .interop, .slow), .enabled(if: getuid() == 0, "Podman's store needs root"),
  .serialized)
struct SaveInteropTests {
  /// A store with images of many kinds.
  private static func store() throws -> (TestStore, names: [String]) {
    let test = try TestStore("vfs")
    let base = layer("f", "one")
    let empty = [UInt8](repeating: 0, count: 1024)
    let odd =
      #""architecture": "amd64", "os" : "linux", "created":"2026-01-02T03:04:05.6000+01:00","#
      + #""author":"<&> \u003c é \u00e9","config":{"Env":["A=<b>","U=\u2028"],"ExposedPorts":{"80/tcp":{}, "1/udp":{}},"#
      + #""Entrypoint":["/e"],"Volumes":{"/v":{}},"Labels":{"z":"1","a":"&"},"User":"u","WorkingDir":"/w","#
      + #""StopSignal":"SIGINT","OnBuild":null,"Hostname":"h","Image":""},"container":"c","container_config":{"x":1.50},"#
      + #""docker_version":"20 ","history":[{"created":"2026-01-02T03:04:05.100Z","created_by":"a","empty_layer":true},"#
      + #"{"created":"2026-01-02T03:04:05Z","created_by":"b","comment":"c","author":"d","empty_layer":false}], "#
    try test.make(
      MadeImage(tags: ["localhost/plain:1", "quay.io/a/b:2"], layers: [base]),
      MadeImage(tags: ["docker.io/library/many:latest"], layers: (0..<6).map { layer("f\($0)", "\($0)") }),
      MadeImage(tags: ["localhost/shared:1"], layers: [base, empty, layer("g", "two"), base, empty]),
      MadeImage(tags: ["localhost/odd:1"], layers: [try sparse(test), base], config: odd))
    return (test, ["localhost/plain:1", "docker.io/library/many:latest", "localhost/shared:1", "localhost/odd:1"])
  }

  /// Layers that tar wrote: sparse files in two forms, links, a long name, and 10 KiB of end.
  private static func sparse(_ test: TestStore) throws -> [UInt8] {
    try shell(
      """
      mkdir \(test.scratch.path)/t; cd \(test.scratch.path)/t; truncate -s 3M s; printf x >> s; printf y >> s; ln s h; ln -s s l
      mkdir -p \(String(repeating: "d", count: 90))/\(String(repeating: "e", count: 90)); mkfifo p
      touch -d @1 \(String(repeating: "d", count: 90))/\(String(repeating: "e", count: 90))/x
      tar --sparse --format=posix -cf ../sparse.tar .
      """)
    return try contents("\(test.scratch.path)/sparse.tar")
  }

  @Test func `A docker-archive is what Podman writes, byte for byte`() throws {
    let (test, names) = try Self.store()
    let out = try test.output()
    let id = try test.store.images.find(names[0]).id.rawValue
    for image in names + ["quay.io/a/b:2", id] {
      try shell("rm -f \(out)/*; \(test.podman) save -q -o \(out)/p \(image)")
      try ImageSaver(test.store).save([image], to: .path("\(out)/s"))
      #expect(throws: Never.self, "\(image)") { try shell("cmp \(out)/p \(out)/s") }
    }
    try shell("rm -f \(out)/*; \(test.podman) save -q -m -o \(out)/p \(names.joined(separator: " ")) quay.io/a/b:2")
    try ImageSaver(test.store).save(names + ["quay.io/a/b:2"], to: .path("\(out)/s"))
    #expect(throws: Never.self) { try shell("cmp \(out)/p \(out)/s") }
  }

  @Test func `OCI images and folders have the configurations and manifests of Podman's, and others read them`() throws {
    let (test, names) = try Self.store()
    let out = try test.output()
    for name in names.suffix(2) {
      try shell("rm -rf \(out)/*; \(test.podman) save -q --format docker-dir -o \(out)/p \(name)")
      try ImageSaver(test.store).save([name], to: .path("\(out)/s"), as: .dockerDirectory)
      // Of a loaded image Debian's Podman says that its plain layers are compressed (registries 7.7).
      let compared = "cd \(out); sed -i 's/diff.tar.gzip/diff.tar/g' p/manifest.json; diff -r p s"
      #expect(throws: Never.self, "\(name)") { try shell(compared) }
      try shell("rm -rf \(out)/*; \(test.podman) save -q --format oci-dir -o \(out)/p \(name)")
      try ImageSaver(test.store).save([name], to: .path("\(out)/s.tar"), as: .ociArchive)
      let members = "jq -cS 'del(.layers[].digest,.layers[].size)'"
      let script = """
        cd \(out); mkdir s; tar -C s -xf s.tar
        for d in p s; do
          m=$(jq -r '.manifests[0].digest' $d/index.json | cut -d: -f2)
          \(members) $d/blobs/sha256/$m > $d.manifest
          cat $d/blobs/sha256/$(jq -r .config.digest $d/blobs/sha256/$m | cut -d: -f2) > $d.config
          jq -c '.manifests[0].annotations' $d/index.json > $d.names
        done
        cmp p.manifest s.manifest; cmp p.config s.config; cmp p.names s.names
        for b in s/blobs/sha256/*; do test $(sha256sum < $b | cut -c-64) = $(basename $b); done
        skopeo --insecure-policy copy -q oci-archive:s.tar:\(name) dir:copy
        """
      #expect(throws: Never.self, "\(name)") { try shell(script) }
    }
  }

  @Test func `Podman loads what was saved, and has the image of the store`() throws {
    let (test, names) = try Self.store()
    let out = try test.output()
    let other = try TestStore("vfs")
    try ImageSaver(test.store).save(names, to: .path("\(out)/d"))
    try shell("\(other.podman) load -q -i \(out)/d")
    for name in names {
      let here = try test.store.images.find(name).record
      let there = try other.store.images.find(name).record
      #expect(there.id == here.id && there.layer == here.layer && there.digest == here.digest, "\(name)")
    }
    // Podman loads an OCI archive of one image; ours of several is for us and for Skopeo, which is told the name.
    let fresh = try TestStore("vfs")
    let saved = try ImageSaver(test.store).save([names[2]], to: .path("\(out)/o"), as: .ociArchive)
    try shell("\(fresh.podman) load -q -i \(out)/o")
    let loaded = try fresh.store.images.find(names[2]).record
    let original = try test.store.images.find(names[2]).record
    #expect(loaded.digest == saved.first?.digest && loaded.layer == original.layer)
    let all = try ImageSaver(test.store).save(names, to: .path("\(out)/all"), as: .ociArchive)
    for (name, image) in zip(names, all) {
      let raw = try shell("skopeo inspect --raw oci-archive:\(out)/all:\(name) | sha256sum | cut -c-64")
      #expect(raw == "\(image.digest?.hex ?? "")\n")
    }
  }
}
