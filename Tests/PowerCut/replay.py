# SPDX-License-Identifier: Apache-2.0
"""Power cuts in a recording, and their judgement."""
import subprocess
from random import Random

import kernel
from recording import FILE_SYSTEMS
from storestate import brief
from workload import Verdict
from writelog import Disks


def choose(recording, count, seed):
    """Numbers of entries after which the power goes, in order: anywhere, at the ends of commands, and within commands."""
    random, chosen = Random(f"points {seed}"), []
    for _ in range(count):
        way, done = random.random(), random.choice(recording.done)
        if way < 0.4:
            number = random.randint(recording.start, recording.total)
        elif way < 0.7:
            number = done.end
        else:
            number = random.randint(done.begin, done.end)
        chosen.append((number, random.getrandbits(32)))
    return sorted(chosen)


class Replay:
    """Judges cuts, one after the other, in order."""

    def __init__(self, work, recording, log, keep):
        self.work, self.recording, self.keep = work, recording, keep
        self.image = work.directory + "/image"
        self.disks = Disks(work.base, log, work.directory + "/rolling", self.image)

    def point(self, number, seed):
        before, after, command, words = self.recording.at(number)
        self.cut(number, seed)
        verdict = self.judge(before, after, command, Random(f"judge {seed}"))
        if self.keep and (verdict.broken or verdict.leaking):
            self.cut(number, seed)
            subprocess.run(["cp", "--sparse=always", self.image, f"{self.keep}/{self.work.kind}-{number}-{seed}"], check=True)
        return {"point": f"{number}/{seed}", "when": brief(words.replace(self.work.directory + "/", "")), **vars(verdict)}

    def cut(self, number, seed):
        self.disks.cut(number, Random(seed), FILE_SYSTEMS[self.work.kind][2])

    def judge(self, before, after, command, random):
        try:
            kernel.mount_image(self.image, self.work.disk, self.work.kind)
        except OSError as error:
            return Verdict(broken=[f"the file system cannot be mounted: {error}"])
        try:
            self.work.fresh_run_root()
            return self.recording.workload.judge(before, after, command, random)
        finally:
            kernel.drop(self.work.disk)
