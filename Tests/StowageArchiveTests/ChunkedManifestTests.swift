// SPDX-License-Identifier: Apache-2.0

import StowageArchive
import StowageCompression
import StowageTestSupport
import Testing

/// Tables of contents of zstd:chunked layers, against those of Debian's Skopeo (chunked-and-composefs 8, check 1).
@Suite("Tables of contents of zstd-chunked layers", .tags(.interop)) struct ChunkedManifestTests {
  /// Makes an archive with files of many kinds and an OCI layout with it, lets Skopeo write the layer as zstd:chunked, and
  /// leaves Skopeo's table in `theirs.json`.
  private let script = #"""
    import hashlib, json, os, random, subprocess, sys
    random.seed(int(sys.argv[1])); r = random.randbytes
    os.makedirs("src/d")
    files = {"empty": b"", "zeros": bytes(500000), "random": r(1 << 20)}
    for n in (1, 64, 1023, 1024, 1025):
        files[f"start{n}"] = bytes(n) + r(3000)
        files[f"middle{n}"] = r(3000) + bytes(n) + r(3000)
        files[f"end{n}"] = r(3000) + bytes(n)
    files["mixed"] = b"".join(r(random.randrange(1, 90000)) + bytes(random.choice([1, 64, 512, 1023, 1024, 2000, 300000]))
                              for _ in range(30))
    for name, content in files.items(): open("src/d/" + name, "wb").write(content)
    os.symlink("random", "src/d/link"); os.link("src/d/random", "src/d/same"); os.mkfifo("src/d/pipe")
    os.chmod("src/d/mixed", 0o4751); os.setxattr("src/d/random", "user.a", b"<&>\0\xff"); os.setxattr("src/d/random", "user.Z", b"z")
    subprocess.run(["tar", "--xattrs", "--sort=name", "--owner=7", "--group=8", "-C", "src", "--format=pax",
                    "-cf", "l.tar", "d"], check=True)
    os.makedirs("oci/blobs/sha256")
    def blob(data, kind, **more):
        name = hashlib.sha256(data).hexdigest(); open("oci/blobs/sha256/" + name, "wb").write(data)
        return dict(mediaType="application/vnd.oci.image." + kind, digest="sha256:" + name, size=len(data), **more)
    layer = blob(open("l.tar", "rb").read(), "layer.v1.tar")
    config = blob(json.dumps(dict(architecture="amd64", os="linux", config={},
                  rootfs=dict(type="layers", diff_ids=[layer["digest"]]))).encode(), "config.v1+json")
    manifest = blob(json.dumps(dict(schemaVersion=2, config=config, layers=[layer])).encode(), "manifest.v1+json",
                    annotations={"org.opencontainers.image.ref.name": "x"})
    json.dump(dict(schemaVersion=2, manifests=[manifest]), open("oci/index.json", "w"))
    open("oci/oci-layout", "w").write('{"imageLayoutVersion":"1.0.0"}')
    open("policy.json", "w").write('{"default":[{"type":"insecureAcceptAnything"}]}')
    subprocess.run(["timeout", "60", "skopeo", "--policy", "policy.json", "copy", "-q", "--dest-compress",
                    "--dest-compress-format", "zstd:chunked", "oci:oci:x", "oci:out:x"], check=True,
                   env={**os.environ, "HOME": os.getcwd()})
    read = lambda d: open("out/blobs/sha256/" + d[7:], "rb").read()
    made = json.loads(read(json.load(open("out/index.json"))["manifests"][0]["digest"]))["layers"][0]
    at, count = made["annotations"]["io.containers.zstd-chunked.manifest-position"].split(":")[:2]
    table = read(made["digest"])[int(at):int(at) + int(count)]
    open("theirs.json", "wb").write(subprocess.run(["zstd", "-dc"], input=table, check=True, capture_output=True).stdout)
    """#

  @Test(.tags(.slow), arguments: [1, 2, 3])
  func `Entries and chunks are those that Skopeo writes for the same archive`(seed: Int) throws {
    let scratch = try TemporaryDirectory("chunked")
    let made = try run(["python3", "-c", script, "\(seed)"], adding: ["TZ": "UTC"], directory: scratch.path)
    try #require(made.isSuccess, "\(made)")
    let archive = BytesSource(try scratch.appending("l.tar").readBytes())
    let ours = try ChunkedManifest(of: archive)
    try scratch.appending("ours.json").write(ours.json)
    // Offsets depend on the encoder, and Skopeo 1.9 knows no digest of the tar-split.
    let filter = ".entries[] | del(.offset, .endOffset)"
    let both = try ["theirs.json", "ours.json"].map { file in
      let result = try run(["jq", "-c", filter, file], directory: scratch.path)
      try #require(result.isSuccess, "\(result)")
      return result.outputText.split(separator: "\n")
    }
    #expect(both[0].count > 60)
    for (their, our) in zip(both[0], both[1]) { #expect(our == their) }
    #expect(both[0].count == both[1].count)
  }
}
