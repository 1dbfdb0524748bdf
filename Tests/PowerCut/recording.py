# SPDX-License-Identifier: Apache-2.0
"""A workload on a file system on a recording disk."""
import bisect
import os
import shutil
import subprocess
import sys
from random import Random

import kernel
from neighbour import Neighbour
from workload import Done
from writelog import Log

HERE = os.path.dirname(os.path.abspath(__file__))
MEBIBYTE = 1 << 20
# Size, what makes the file system without writing what is nothing but zeros, and the smallest part that a torn write leaves. xfs
# does not repair a block whose first sector is new, and btrfs has a superblock of that size: they count on blocks of 4096 bytes.
FILE_SYSTEMS = {
    "ext4": (256 * MEBIBYTE, ["mkfs.ext4", "-q", "-F", "-E", "nodiscard,lazy_itable_init=0,assume_storage_prezeroed=1"], 512),
    "xfs": (320 * MEBIBYTE, ["mkfs.xfs", "-q", "-f", "-K"], 4096),
    "btrfs": (320 * MEBIBYTE, ["mkfs.btrfs", "-q", "-f", "-K"], 4096),
}


class Work:
    """A directory in memory with everything of one run; what is mounted there ends with the process."""

    def __init__(self, directory, kind):
        self.directory, self.kind = directory, kind
        self.disk, self.run_root = directory + "/disk", directory + "/run"
        self.base, self.content, self.log, self.device = (f"{directory}/{name}" for name in ("base", "content", "log", "device"))
        os.makedirs(directory, exist_ok=True)
        kernel.mount("power-cut", directory, "tmpfs")
        os.mkdir(self.disk)
        os.mkdir(self.run_root)

    def close(self):
        kernel.unmount_below(self.directory)
        shutil.rmtree(self.directory, ignore_errors=True)

    def fresh_run_root(self):
        kernel.unmount_below(self.run_root)
        kernel.mount("run", self.run_root, "tmpfs")

    def make_file_system(self):
        size, words, _ = FILE_SYSTEMS[self.kind]
        with open(self.base, "wb") as file:
            file.truncate(size)
        subprocess.run([*words, self.base], check=True, stdout=subprocess.DEVNULL)
        for words in (["fallocate", "--dig-holes", self.base], ["cp", "--sparse=always", self.base, self.content]):
            subprocess.run(words, check=True)


class RecordingDisk:
    """The program that serves the disk, in a session of its own: an interrupt must not end it while something is mounted."""

    def __init__(self, work):
        for path in work.device, work.log:
            with open(path, "wb"):
                pass
        self.process = subprocess.Popen(
            [sys.executable, HERE + "/recording-disk", work.device, work.content, work.log],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        if self.process.stdout.readline() != b"ready\n":
            raise RuntimeError("the recording disk does not start")

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)


class Recording:
    """What was done, and the log of it. Positions are sizes of the log, later numbers of its entries."""

    def __init__(self, work, workload):
        self.work, self.workload = work, workload
        self.done, self.start = [], 0
        # What a command broke without any cut; nothing is recorded from there on.
        self.fault = None

    def make(self, seed, commands):
        self.work.make_file_system()
        disk = RecordingDisk(self.work)
        try:
            kernel.mount_image(self.work.device, self.work.disk, self.work.kind)
            self.work.fresh_run_root()
            self.workload.prepare()
            self.sync()
            self.start = self.position()
            self.run(Random(seed), commands)
            kernel.unmount_below(self.work.disk)
        finally:
            kernel.drop(self.work.disk)
            disk.close()
            kernel.unmount_below(self.work.device)
        return self

    def run(self, random, commands):
        neighbour = Neighbour(self.work.disk, random)
        try:
            for group in self.workload.steps(random):
                neighbour.busy = random.random() < 0.5
                for command in group:
                    self.do(command)
                    if self.fault:
                        return
                if len(self.done) >= commands:
                    return
        finally:
            neighbour.close()

    def do(self, command):
        before = self.done[-1].after if self.done else self.workload.state()
        begin = self.position()
        status = command.run()
        end = self.position()
        after = self.workload.state()
        lost = self.workload.lost(after)
        if lost:
            self.fault = {"point": "none", "when": "after " + command.text, "broken": lost, "leaking": [], "refused": []}
        else:
            self.done.append(Done(command, begin, end, status, before, after))

    def position(self):
        return os.path.getsize(self.work.log)

    def sync(self):
        subprocess.run(["sync", "--file-system", self.work.disk], check=True)

    def load(self):
        """The log; positions become numbers."""
        log = Log(self.work.log)
        self.start = log.number(self.start)
        # What is behind a fault does not count.
        self.total = log.number(self.done[-1].end) if self.fault else len(log.entries)
        for done in self.done:
            done.begin, done.end = log.number(done.begin), log.number(done.end)
        return log

    def at(self, number):
        """States that may be found after a cut at an entry, the command under way or none, and words for it."""
        # Commands that had ended; the next one is under way if the disk has got something since it began.
        ended = bisect.bisect_right(self.done, number, key=lambda done: done.end)
        if ended < len(self.done) and self.done[ended].begin < number:
            done = self.done[ended]
            return done.before, done.after, done.command, "during " + done.command.text
        if ended == 0:
            return self.done[0].before, self.done[0].before, None, "before the first command"
        done = self.done[ended - 1]
        return done.after, done.after, None, "after " + done.command.text
