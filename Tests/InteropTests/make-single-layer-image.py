#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a docker-archive with one small layer: make-single-layer-image.py FILE [BYTES]"""
import hashlib
import io
import json
import sys
import tarfile


def add(archive, name, data):
    member = tarfile.TarInfo(name)
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))


layer = io.BytesIO()
with tarfile.open(fileobj=layer, mode="w") as archive:
    add(archive, "own/file", b"x" * int(sys.argv[2] if len(sys.argv) > 2 else 4096))
digest = hashlib.sha256(layer.getvalue()).hexdigest()
config = json.dumps({
    "created": "2026-01-01T00:00:00Z", "architecture": "amd64", "os": "linux", "config": {},
    "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest]}}).encode()
name = hashlib.sha256(config).hexdigest()
with tarfile.open(sys.argv[1], "w") as archive:
    add(archive, name + ".json", config)
    add(archive, digest + ".tar", layer.getvalue())
    add(archive, "manifest.json", json.dumps(
        [{"Config": name + ".json", "RepoTags": None, "Layers": [digest + ".tar"]}]).encode())
