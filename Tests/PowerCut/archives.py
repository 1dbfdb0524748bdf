# SPDX-License-Identifier: Apache-2.0
"""Small layers and images as archives, the same bytes for the same seed."""
import gzip
import hashlib
import io
import json
import random
import tarfile

MEDIA = "application/vnd.oci.image."


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def pack(members):
    """A tar of pairs of name and bytes; other kinds of members are pairs of name and TarInfo's attributes."""
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.mtime = 1767225600
            if isinstance(content, dict):
                for key, value in content.items():
                    setattr(member, key, value)
                archive.addfile(member)
            else:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    return output.getvalue()


def layer(seed, below=None):
    """A layer; one over another replaces, hides and adds files of it."""
    chance = random.Random(f"layer {seed}")
    directories = ["etc", "srv", "srv/deep", f"own{seed}"]
    members = [(name, {"type": tarfile.DIRTYPE, "mode": 0o755}) for name in directories]
    for number in range(chance.randrange(4, 10)):
        size = chance.choice([0, 1, 100, 5000, 30000, 100000])
        members.append((f"{chance.choice(directories)}/f{seed}-{number}", chance.randbytes(size)))
    members.append(("etc/same", b"of " + str(seed).encode()))
    members.append((f"etc/hidden{seed}", b"is hidden by the layer above"))
    members.append((f"srv/hard{seed}", {"type": tarfile.LNKTYPE, "linkname": "etc/same"}))
    members.append((f"srv/soft{seed}", {"type": tarfile.SYMTYPE, "linkname": "../etc/same", "mode": 0o777}))
    if below is not None:
        members.append((f"etc/.wh.hidden{below}", b""))
    return pack(members)


def configuration(layers, seed):
    return json.dumps({
        "created": "2026-01-01T00:00:00Z", "architecture": "amd64", "os": "linux", "config": {"Labels": {"seed": str(seed)}},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + sha256(one) for one in layers]}}).encode()


def docker(layers, seed, name):
    config = configuration(layers, seed)
    files = {f"{sha256(one)}.tar": one for one in layers}
    manifest = [{"Config": sha256(config) + ".json", "RepoTags": [name], "Layers": list(files)}]
    return pack([*files.items(), (sha256(config) + ".json", config), ("manifest.json", json.dumps(manifest).encode())])


def oci(layers, seed, name):
    config = configuration(layers, seed)
    packed = [gzip.compress(one, 6, mtime=0) for one in layers]

    def descriptor(kind, data):
        return {"mediaType": MEDIA + kind, "digest": "sha256:" + sha256(data), "size": len(data)}

    manifest = json.dumps({
        "schemaVersion": 2, "mediaType": MEDIA + "manifest.v1+json", "config": descriptor("config.v1+json", config),
        "layers": [descriptor("layer.v1.tar+gzip", one) for one in packed]}).encode()
    index = {"schemaVersion": 2, "manifests": [
        {**descriptor("manifest.v1+json", manifest), "annotations": {"org.opencontainers.image.ref.name": name}}]}
    blobs = {f"blobs/sha256/{sha256(data)}": data for data in [config, manifest, *packed]}
    return pack([("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'), ("index.json", json.dumps(index).encode()), *blobs.items()])


def write_all(directory):
    """Files layer1.tar… and image1.tar…; images 1 and 2 have the lower layer in common."""
    layers = {number: layer(number, number - 1 if number > 1 else None) for number in range(1, 7)}
    for number, data in layers.items():
        write(f"{directory}/layer{number}.tar", gzip.compress(data, 6, mtime=0) if number % 2 else data)
    stacks = {1: [1, 2], 2: [1, 3], 3: [4], 4: [4, 5, 6]}
    for number, stack in stacks.items():
        make = oci if number % 2 == 0 else docker
        write(f"{directory}/image{number}.tar", make([layers[one] for one in stack], number, f"localhost/image{number}:1"))
    for number in range(1, 4):
        write(f"{directory}/item{number}", random.Random(number).randbytes(300 * number ** 4))


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)
