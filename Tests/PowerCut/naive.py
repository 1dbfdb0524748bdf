# SPDX-License-Identifier: Apache-2.0
"""The workload of naive-store: what the harness must see with it, and must not see if it flushes."""
import json
import os
import sys

import storestate
import workload

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "naive-store")


class NaiveWorkload:
    def __init__(self, sync, work):
        self.words = [sys.executable, "-IS", PROGRAM] + (["--sync"] if sync else [])
        self.directory = work + "/disk/store"

    def call(self, *words):
        return workload.run([*self.words, self.directory, *words])

    def prepare(self):
        os.mkdir(self.directory)
        for number in range(4):
            self.call("put", f"old{number}", "5000")

    def steps(self, random):
        while True:
            name = f"file{random.randrange(8)}"
            if random.random() < 0.3:
                name = random.choice(sorted(os.listdir(self.directory)) or [name])
                words = ["delete", name]
            else:
                words = ["put", name, str(random.choice([0, 100, 5000, 300000]))]
            yield [workload.Command(" ".join(words), lambda words=words: self.call(*words).returncode)]

    def state(self):
        return {f"file {name}": {"digest": digest} for name, digest in json.loads(self.call("list").stdout).items()}

    def lost(self, state):
        return []

    def judge(self, before, after, command, random):
        ended = self.call("list")
        if ended.returncode != 0:
            return workload.Verdict(broken=[ended.stderr.decode()])
        return workload.Verdict(broken=storestate.compare(before, after, self.state()))
