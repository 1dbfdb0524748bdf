// SPDX-License-Identifier: Apache-2.0
package import SystemPackage

/// A docker-archive of an image with a file in each of its layers, made by Python.
package enum ManyLayers {
  /// Writes the archive; the image is named `localhost/many:1`.
  package static func write(to path: FilePath, layers: Int) throws {
    let made = try run(["python3", "-IS", "-c", script, path.string, String(layers)])
    guard made.isSuccess else { throw FixtureError(text: "\(made)") }
  }

  private static let script = """
    import hashlib, io, json, sys, tarfile
    def tar(members):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as t:
            for name, data in members.items():
                i = tarfile.TarInfo(name); i.size = len(data); t.addfile(i, io.BytesIO(data))
        return out.getvalue()
    layers = [tar({"d%d/f" % i: b"%d" % i}) for i in range(int(sys.argv[2]))]
    names = [hashlib.sha256(l).hexdigest() for l in layers]
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {},
                         "rootfs": {"type": "layers", "diff_ids": ["sha256:" + n for n in names]}}).encode()
    manifest = [{"Config": "c.json", "RepoTags": ["localhost/many:1"], "Layers": [n + ".tar" for n in names]}]
    members = {n + ".tar": l for n, l in zip(names, layers)}
    open(sys.argv[1], "wb").write(tar(members | {"c.json": config, "manifest.json": json.dumps(manifest).encode()}))
    """
}
