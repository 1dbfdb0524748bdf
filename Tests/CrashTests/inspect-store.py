#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Looks at a store on disk without any program that knows it: usage: inspect-store.py DRIVER ROOT RUN-ROOT [OTHER-ROOT]

OTHER-ROOT is the other place of a split store: tar-split files of its layers are here, too.

Prints lines `content …` about what records and their trees hold, and lines `left …` about whatever belongs to no record, or is
not what its record says, and every mount of a layer.
"""
import base64
import hashlib
import json
import os
import re
import sys

driver, root, run_root = sys.argv[1:4]
home = {"vfs": "vfs/dir", "btrfs": "btrfs/subvolumes"}.get(driver, driver)


def left(text):
    print("left", text)


def records(kind, root=root):
    path = f"{root}/{driver}-{kind}/{kind}.json"
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return []


def names(directory):
    try:
        return sorted(os.listdir(f"{root}/{directory}"))
    except (FileNotFoundError, NotADirectoryError):
        return []


def directories(place):
    return [name for name in names(place) if os.path.isdir(f"{root}/{place}/{name}")]


layers = records("layers")
ids = {layer["id"] for layer in layers}
elsewhere = {layer["id"] for other in sys.argv[4:] for layer in records("layers", other)}

# Layers whose identifiers were chosen, with digest and number of files; items of all records.
for layer in sorted(layers, key=lambda layer: layer["id"]):
    if len(layer["id"]) < 64:
        count = sum(1 + len(files) + sum(os.path.islink(f"{where}/{d}") for d in found)
                    for where, found, files in os.walk(f"{root}/{home}/{layer['id']}"))
        print("content", layer["id"], layer.get("diff-digest", "-"), count)
for kind in "layers", "images", "containers":
    for record in records(kind):
        items = [record.get("big-data-names"), record.get("big-data-digests")]
        if any(items):
            print("content", json.dumps(items))

for name in directories(home):
    if name not in ids and name not in ("l", "tempdirs", "staging"):
        left(f"directory {name}")
for layer in layers:
    if not os.path.isdir(f"{root}/{home}/{layer['id']}"):
        left(f"no directory for {layer['id']}")
    if layer.get("incomplete") or layer.get("flags", {}).get("incomplete"):
        left(f"incomplete {layer['id']}")
    for flag in layer.get("flags") or {}:
        left(f"flag {flag}")
for name in names(f"{driver}-layers"):
    if name.endswith(".tar-split.gz") and name.removesuffix(".tar-split.gz") not in ids | elsewhere:
        left(f"tar-split {name}")
for kind in "images", "containers":
    known = {record["id"] for record in records(kind)}
    for name in directories(f"{driver}-{kind}"):
        if name not in known:
            left(f"{kind} data {name}")
    for record in records(kind):
        for key, digest in (record.get("big-data-digests") or {}).items():
            plain = re.fullmatch("[a-z0-9]+", key)
            file = key if plain else "=" + base64.b64encode(key.encode()).decode()
            try:
                with open(f"{root}/{driver}-{kind}/{record['id']}/{file}", "rb") as data:
                    if "sha256:" + hashlib.sha256(data.read()).hexdigest() != digest:
                        left(f"other content in item {key} of {record['id']}")
            except FileNotFoundError:
                left(f"item {key} of {record['id']} is lost")
if os.path.isdir(f"{root}/overlay/l"):
    links = names("overlay/l")
    for link in links:
        if not os.path.exists(f"{root}/overlay/l/{link}"):
            left(f"dangling link {link}")
    if driver == "overlay" and len(links) != len(ids):
        left(f"{len(links)} links for {len(ids)} layers")
for top in root, run_root:
    for where, _, files in os.walk(top):
        for name in files:
            if name.startswith(".tmp-"):
                left(f"{where}/{name}")
for place in {f"{driver}/tempdirs", "overlay/tempdirs", "vfs/tempdirs", f"{driver}-layers/tmp"}:
    for name in names(place):
        left(f"{place}/{name}")
with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
    for line in mounts:
        point = line.split()[4]
        if point.startswith(root + "/") and point.endswith("/merged"):
            left(f"mount {point}")
