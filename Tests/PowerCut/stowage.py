# SPDX-License-Identifier: Apache-2.0
"""The program under test on a store."""
import hashlib
import os

import archives
import storestate
import workload
from stowage_commands import Commands
from stowage_judge import Judge


class Store:
    """A store on a disk below a directory, with its configuration and inputs beside it."""

    def __init__(self, program, driver, split, work):
        self.program, self.driver, self.work = program, driver, work
        self.run_root, self.inputs = work + "/run", work + "/inputs"
        self.places = storestate.Places(driver, work + "/disk/graph", work + "/disk/images" if split else None)
        os.makedirs(self.inputs)
        archives.write_all(self.inputs)
        self.configure("storage.conf", "imagestore")
        self.configure("debian.conf", "additionalimagestores")

    def configure(self, name, key):
        image = self.places.image
        lines = ["[storage]", f'driver = "{self.driver}"', f'graphroot = "{self.places.graph}"', f'runroot = "{self.run_root}"']
        if image and key == "imagestore":
            lines.append(f'imagestore = "{image}"')
        lines.append("[storage.options]")
        if image and key != "imagestore":
            lines.append(f'{key} = ["{image}"]')
        lines += ["[storage.options.pull_options]", 'enable_partial_images = "true"', ""]
        archives.write(f"{self.work}/{name}", "\n".join(lines).encode())

    def call(self, *words):
        return workload.run([self.program, *words], self.environment("storage.conf"))

    def debian(self, *words):
        return workload.run(["containers-storage", *words], self.environment("debian.conf"))

    def environment(self, configuration):
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": self.work, "LC_ALL": "C.UTF-8",
                "CONTAINERS_STORAGE_CONF": f"{self.work}/{configuration}"}


class StoreWorkload:
    """Random commands on a store; judged by what users were promised."""

    def __init__(self, program, driver, split, first_opener, work):
        self.store = Store(program, driver, split, work)
        self.judge = Judge(self.store, first_opener).judge

    def prepare(self):
        """Some objects that were there long before the cut."""
        inputs = self.store.inputs
        old = hashlib.sha256(b"old layer").hexdigest()
        for words in (["load", "-q", "-i", inputs + "/image1.tar"],
                      ["import-layer", "-r", "--id", old, "-f", inputs + "/layer4.tar"],
                      ["create-container", "-n", "old", "localhost/image1:1"]):
            ended = self.store.call(*words)
            if ended.returncode != 0:
                raise RuntimeError(f"{words}: {ended.stdout} {ended.stderr}")

    def steps(self, random):
        return Commands(self.store, random).groups()

    def lost(self, state):
        return storestate.lost(state)

    def state(self):
        return self.store.places.state()
