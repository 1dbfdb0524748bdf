# SPDX-License-Identifier: Apache-2.0
"""What a store holds, read from its files without any program that knows it (docs/spec/on-disk-format.md)."""
import base64
import hashlib
import json
import os
import re

import trees

HOMES = {"overlay": "overlay", "vfs": "vfs/dir", "btrfs": "btrfs/subvolumes"}


class Places:
    """Graph root and, of a split store, image store."""

    def __init__(self, driver, graph, image=None):
        self.driver, self.graph, self.image = driver, graph, image
        self.all = [graph] + ([image] if image else [])

    def records(self, place, kind):
        try:
            with open(f"{place}/{self.driver}-{kind}/{kind}.json", "rb") as file:
                data = file.read()
        except FileNotFoundError:
            return []
        # Of no length counts as empty.
        return json.loads(data) or [] if data else []

    def found(self, kind):
        """Identifier to place and record; of two the first counts."""
        found = {}
        for place in self.all:
            for record in self.records(place, kind):
                found.setdefault(record["id"], (place, record))
        return found

    def layer_tree(self, place, layer, skip_times=False):
        top = f"{place}/{HOMES[self.driver]}/{layer}"
        return trees.read(top + "/diff" if self.driver == "overlay" else top, skip_times)

    def chain(self, layer):
        """The layer and what it is built on, the lowest first, as pairs of place and identifier."""
        found, chain = self.found("layers"), []
        while layer:
            place, record = found[layer]
            chain.insert(0, (place, layer))
            layer = record.get("parent")
        return chain

    def whole_tree(self, layer):
        """What a mount of a layer shows."""
        chain = self.chain(layer)
        if self.driver != "overlay":
            chain = chain[-1:]
        return trees.union(self.layer_tree(place, one, True) for place, one in chain)

    def state(self):
        """Objects by name, each with everything about it that has to last."""
        state = {}
        for layer, (place, record) in self.found("layers").items():
            if is_kept_for_mounts(record):
                continue
            state["layer " + layer] = {
                "place": os.path.basename(place), "record": record, "items": self.items(self.graph, "layers", record),
                "tar-split": file_digest(f"{self.graph}/{self.driver}-layers/{layer}.tar-split.gz"),
                "tree": self.tree_digest(place, layer),
            }
        for kind in "images", "containers":
            for one, (place, record) in self.found(kind).items():
                state[f"{kind[:-1]} {one}"] = {
                    "place": os.path.basename(place), "record": record, "items": self.items(place, kind, record)}
        return state

    def tree_digest(self, place, layer):
        try:
            return trees.digest(self.layer_tree(place, layer))
        except FileNotFoundError:
            return "no tree"

    def items(self, place, kind, record):
        directory = f"{place}/{self.driver}-{kind}/{record['id']}"
        return {key: file_digest(f"{directory}/{item_file(key)}") for key in record.get("big-data-names") or []}


def is_kept_for_mounts(record):
    """What `relocate` keeps while somebody has it mounted; a cut ends all mounts, and the next opener deletes it."""
    return "mounts" in json.dumps((record.get("flags") or {}).get("stowage-owner"))


def item_file(key):
    return key if re.fullmatch("[.a-z0-9]+", key) else "=" + base64.b64encode(key.encode()).decode()


def file_digest(path):
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except FileNotFoundError:
        return "no file"


def lost(state):
    """Objects of which something is not there, without any cut."""
    return [f"{name} has lost its tree or an item" for name, value in state.items()
            if value.get("tree") == "no tree" or "no file" in value["items"].values()]


def brief(name):
    return re.sub(r"([0-9a-f]{12})[0-9a-f]{52}", r"\1…", name)


def changed(old, new):
    """In which respects an object differs, short."""
    if old is None or new is None:
        return "is not there" if new is None else "is there"
    parts = [part for part in old if old[part] != new.get(part)]
    return "differs in " + ", ".join(f"{part} ({detail(part, old[part], new.get(part))})" for part in parts)


def detail(part, old, new):
    if part == "record":
        keys = [key for key in old.keys() | new.keys() if old.get(key) != new.get(key)]
        return ", ".join(f"{key}: {old.get(key)} became {new.get(key)}" for key in sorted(keys))
    return f"{old} became {new}"


def compare(old, new, found, single=True, loose=()):
    """What is wrong with what was found, if a command was to bring the old state to the new one.

    single: all or nothing; else each object may be as before or after, and of two copies of a layer either may be there. The
    trees of loose layers do not count.
    """
    def stripped(name):
        return (("tree",) if name in loose else ()) + (() if single else ("place",))

    old, new, found = ({name: strip(value, stripped(name)) for name, value in state.items()} for state in (old, new, found))
    wrong = []
    for name in sorted(old.keys() | new.keys() | found.keys()):
        if found.get(name) not in (old.get(name), new.get(name)):
            # Told as the change to what it should be that is told in fewest words.
            wrong.append(min((f"{name} {changed(value, found.get(name))}" for value in (old.get(name), new.get(name))
                              if value is not None or old.get(name) == new.get(name)), key=len))
    if not wrong and single and found not in (old, new):
        names = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
        told = [f"{name} is {'new' if found.get(name) == new.get(name) else 'old'}" for name in names]
        wrong.append("neither old nor new: " + ", ".join(told))
    return wrong


def strip(value, parts):
    return {part: content for part, content in value.items() if part not in parts} if value else value
