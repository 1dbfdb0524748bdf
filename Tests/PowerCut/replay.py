# SPDX-License-Identifier: Apache-2.0
"""Power cuts in a recording, and their judgement."""
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import traceback
from random import Random

import kernel
from recording import FILE_SYSTEMS
from storestate import brief
from workload import Verdict
from writelog import Disks


def choose(recording, total, count, seed):
    """Numbers of entries after which the power goes, in order: anywhere, at the ends of commands, and within commands."""
    random, chosen = Random(f"points {seed}"), []
    for _ in range(count):
        way, done = random.random(), random.choice(recording.done)
        if way < 0.4:
            number = random.randint(recording.start, total)
        elif way < 0.7:
            number = done.end
        else:
            number = random.randint(done.begin, done.end)
        chosen.append((number, random.getrandbits(32)))
    return sorted(chosen)


class Replay:
    """Judges cuts, one after the other, in order."""

    def __init__(self, work, recording, log, keep, name):
        self.work, self.recording, self.keep = work, recording, keep
        self.image = f"{work.directory}/image-{name}"
        self.disks = Disks(work.base, log, f"{work.directory}/rolling-{name}", self.image)

    def point(self, number, seed):
        before, after, command, words = self.recording.at(number)
        self.disks.cut(number, Random(seed), FILE_SYSTEMS[self.work.kind][2])
        verdict = self.judge(before, after, command, Random(f"judge {seed}"))
        if self.keep and (verdict.broken or verdict.leaking):
            self.disks.cut(number, Random(seed), FILE_SYSTEMS[self.work.kind][2])
            subprocess.run(["cp", "--sparse=always", self.image, f"{self.keep}/{self.work.kind}-{number}-{seed}"], check=True)
        return {"point": f"{number}/{seed}", "when": brief(words), **vars(verdict)}

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


def judge_all(work, recording, log, points, jobs, keep, until):
    """Judges the points in several processes; yields results."""
    share = -(-len(points) // jobs)
    children = {}
    try:
        for job in range(jobs):
            mine = points[job * share:(job + 1) * share]
            reader, writer = os.pipe()
            process = os.fork()
            # A group of its own, known to both at once.
            with contextlib.suppress(OSError):
                os.setpgid(process, process)
            if process == 0:
                child(work, recording, log, mine, keep, until, job, writer)
            os.close(writer)
            children[process] = reader
        for reader in children.values():
            yield from results(reader)
    finally:
        for process in children:
            end_group(process)


def end_group(leader):
    """Ends a process that we started and the programs that it runs, and waits for all: they may have mounts."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
    os.waitpid(leader, 0)
    for _ in range(500):
        try:
            os.killpg(leader, 0)
        except ProcessLookupError:
            return
        time.sleep(0.01)


def results(reader):
    with open(reader, encoding="utf-8", closefd=False) as lines:
        for line in lines:
            result = json.loads(line)
            if "error" in result:
                raise RuntimeError(result["error"])
            yield result


def child(work, recording, log, points, keep, until, job, writer):
    """Ends the process. Mounts are its own, so that each has the store at the same path."""
    status = 1
    kernel.end_with_parent()
    with os.fdopen(writer, "w", encoding="utf-8") as output:
        try:
            kernel.own_mounts()
            replay = Replay(work, recording, log, keep, job)
            for number, seed in points:
                if time.monotonic() >= until:
                    break
                print(json.dumps(replay.point(number, seed)), file=output, flush=True)
            status = 0
        except BaseException:
            print(json.dumps({"error": traceback.format_exc()}), file=output, flush=True)
    sys.stdout.flush()
    os._exit(status)
