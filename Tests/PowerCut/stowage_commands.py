# SPDX-License-Identifier: Apache-2.0
"""Random commands that write to a store, each possible in the state that is there."""
import hashlib
import os
import sys

from workload import Command


class Commands:
    """Yields groups of commands; those of a group belong together."""

    def __init__(self, store, random):
        self.store, self.random, self.count = store, random, 0
        self.kinds = [
            (self.load, 5), (self.import_layer, 4), (self.create_layer, 4), (self.create_image, 3), (self.create_container, 6),
            (self.write_to_container, 4), (self.set_item, 5), (self.set_names, 4), (self.set_metadata, 2),
            (self.delete_container, 4), (self.delete_image, 3), (self.delete_layer, 3), (self.upkeep, 2), (self.wipe, 0.3),
        ]
        if store.driver == "overlay":
            self.kinds += [(self.apply_diff, 2), (self.apply_staged, 1)]
        if store.places.image:
            self.kinds.append((self.relocate, 5))

    def groups(self):
        kinds, weights = zip(*self.kinds)
        while True:
            group = self.random.choices(kinds, weights)[0]()
            if group:
                yield group

    def command(self, *words, **traits):
        text = " ".join(word.replace(self.store.inputs + "/", "") for word in words)
        def run():
            ended = self.store.call(*words)
            if ended.returncode != 0:
                print(f"{text}: {ended.stderr.decode(errors='replace').strip()}", file=sys.stderr)
            return ended.returncode
        return Command(text, run, **traits)

    def new(self, kind):
        """An identifier and a name that were not there."""
        self.count += 1
        name = f"{kind}{self.count}"
        return hashlib.sha256(name.encode()).hexdigest(), name

    def input(self, kind, last):
        return f"{self.store.inputs}/{kind}{self.random.randint(1, last)}" + ("" if kind == "item" else ".tar")

    def one(self, kind, condition=lambda record: True):
        """Some object, or none."""
        # What is tied to mounts that ended is gone when the next command looks for it.
        records = [record for _, record in self.store.places.found(kind).values()
                   if condition(record) and "stowage-owner" not in record.get("flags", {})]
        return self.random.choice(records) if records else None

    def unneeded_layer(self):
        find = self.store.places.found
        needed = {record.get("parent") for _, record in find("layers").values()}
        needed |= {record.get("layer") for kind in ("images", "containers") for _, record in find(kind).values()}
        return self.one("layers", lambda record: record["id"] not in needed)

    def base(self):
        """A layer to build on: that no container writes to, and that is no copy for other owners."""
        own = {record["layer"] for _, record in self.store.places.found("containers").values()}
        return self.one("layers", lambda record: record["id"] not in own and not record.get("uidmap"))

    def parent(self):
        """Words for a parent, or for none."""
        layer = self.base() if self.random.random() < 0.7 else None
        return [layer["id"]] if layer else []

    def load(self):
        words = ["load", "-q", "-i", self.input("image", 4)]
        if self.random.random() < 0.3:
            words[2:2] = ["--name", f"localhost/{self.new('other')[1]}:1"]
        return [self.command(*words)]

    def import_layer(self):
        layer, name = self.new("imported")
        kind = self.random.choice([["-r"], []])
        return [self.command("import-layer", *kind, "--id", layer, "-n", name, "-f", self.input("layer", 6), *self.parent())]

    def create_layer(self):
        layer, name = self.new("made")
        return [self.command("create-layer", *self.random.choice([["-r"], []]), "--id", layer, "-n", name, *self.parent())]

    def create_image(self):
        layer = self.base()
        image, name = self.new("image")
        return layer and [self.command("create-image", "--id", image, "-n", name, "-m", "text of " + name, layer["id"])]

    def create_container(self):
        image = self.one("images")
        container, name = self.new("container")
        maps = []
        if self.store.driver != "overlay" and self.random.random() < 0.2:
            # The container's owners are others: that takes a copy of the image's layer where a mount cannot do it.
            maps = ["--uidmap", "0:100000:1000", "--gidmap", "0:100000:1000"]
        return image and [self.command("create-container", "--id", container, "-n", name, "-m", "text", *maps, image["id"],
                                       # The copy belongs to the image, and stays for the next container.
                                       single=not maps)]

    def write_to_container(self):
        container = self.one("containers")
        if not container:
            return None
        mounted = []

        def mount():
            ended = self.store.call("mount", container["id"])
            mounted.append(os.fsdecode(ended.stdout.strip().split(b"\n")[-1]))
            return ended.returncode

        def write():
            write_safely(f"{mounted[0]}/written{self.count}", self.random.randbytes(self.random.choice([10, 9000])))
            return 0

        self.count += 1
        return [
            Command("mount " + container["id"], mount, again=False),
            Command("writing to " + container["id"], write, loose=(container["layer"],), again=False),
            self.command("unmount", container["id"])]

    def set_item(self):
        kind = self.random.choice(["layer", "image", "container"])
        one = self.one(kind + "s")
        key = self.random.choice(["item", "Other/Key", "manifest-x"])
        return one and [self.command(f"set-{kind}-data", "-f", self.input("item", 3), one["id"], key)]

    def set_names(self):
        one = self.one(self.random.choice(["layers", "images", "containers"]))
        verb = self.random.choice(["add-names", "set-names", "remove-names"])
        name = self.new("name")[1]
        if one and verb == "remove-names":
            name = self.random.choice(one.get("names") or ["none"])
        return one and [self.command(verb, "-n", name, one["id"])]

    def set_metadata(self):
        one = self.one(self.random.choice(["layers", "images", "containers"]))
        return one and [self.command("set-metadata", "-m", self.new("text")[1], one["id"])]

    def delete_container(self):
        one = self.one("containers")
        return one and [self.command("delete-container", one["id"])]

    def delete_image(self):
        used = {record["image"] for _, record in self.store.places.found("containers").values()}
        one = self.one("images", lambda record: record["id"] not in used)
        return one and [self.command("delete-image", one["id"])]

    def delete_layer(self):
        one = self.unneeded_layer()
        return one and [self.command("delete-layer", one["id"])]

    def upkeep(self):
        return [self.command(self.random.choice(["gc", "dedup", "check", "shutdown"]))]

    def wipe(self):
        return [self.command("wipe", single=False)]

    def apply_diff(self):
        layer, name = self.new("applied")
        return [self.command("create-layer", "--id", layer, "-n", name, *self.parent()),
                self.command("applydiff", "-f", self.input("layer", 6), layer)]

    def apply_staged(self):
        return [self.command("applydiff-using-staging-dir", self.new("staged")[0], self.store.inputs)]

    def relocate(self):
        target = self.random.choice(["image-store", "graph-root"])
        one = self.one("images")
        which = [one["id"]] if one and self.random.random() < 0.5 else ["--all"]
        relocate = self.command("relocate", "-q", "--to", target, *which, single=False)
        container = self.one("containers")
        if not container or self.random.random() < 0.6:
            return [relocate]
        # A mounted container keeps what it looks into.
        return [self.command("mount", container["id"]), relocate, self.command("unmount", container["id"])]


def write_safely(path, data):
    """A new file, on the disk with its name."""
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    directory = os.open(os.path.dirname(path), os.O_RDONLY)
    os.fsync(directory)
    os.close(directory)
