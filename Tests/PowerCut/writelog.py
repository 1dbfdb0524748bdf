# SPDX-License-Identifier: Apache-2.0
"""The log of a recording disk, and the disks that a power cut can leave."""
import bisect
import mmap
import os
import struct
from collections import namedtuple

HEADER = struct.Struct("=BxxxIQ")
WRITE, FLUSH = 1, 2
BLOCK, SECTOR = 4096, 512
# Before this offset are the superblocks that are found without a log; a file system counts on those being written at once.
FIRST_BLOCKS = 128 * 1024

Entry = namedtuple("Entry", "kind offset data")


class Log:
    """Entries by number; positions in the file, which are known while recording, are turned into numbers."""

    def __init__(self, path):
        self.entries, self.ends = [], []
        if os.path.getsize(path) == 0:
            return
        with open(path, "rb") as file:
            view = memoryview(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ))
        position = 0
        while position < len(view):
            kind, size, offset = HEADER.unpack_from(view, position)
            position += HEADER.size + size
            self.entries.append(Entry(kind, offset, view[position - size:position]))
            self.ends.append(position)

    def number(self, position):
        """How many entries there were when the file had this size."""
        return bisect.bisect_right(self.ends, position)

    def last_flush(self, number):
        """How many of the first entries are certainly on the disk when so many were recorded."""
        while number > 0 and self.entries[number - 1].kind != FLUSH:
            number -= 1
        return number


class Survivors:
    """What of the writes since the last flush is on the disk: a random part, some of it torn."""

    def __init__(self, random, unit):
        self.random, self.unit = random, unit
        # Often nothing or everything arrived.
        self.chance = random.choice([0, 0, 0.1, 0.5, 0.9, 1, 1])
        self.torn = random.choice([0, 0.1, 0.5])

    def of(self, entry):
        """Pairs of offset and bytes."""
        if self.random.random() >= self.chance:
            return []
        unit = self.unit if entry.offset >= FIRST_BLOCKS else max(self.unit, BLOCK)
        if len(entry.data) <= unit or self.random.random() >= self.torn:
            return [(entry.offset, entry.data)]
        pieces = range(0, len(entry.data), unit)
        if self.random.random() < 0.5:
            # The first part only.
            pieces = pieces[:self.random.randrange(1, len(pieces))]
        else:
            pieces = [piece for piece in pieces if self.random.random() < 0.5]
        return [(entry.offset + piece, entry.data[piece:piece + unit]) for piece in pieces]


class Disks:
    """Makes images of the disk as power cuts leave it, in the order of the log."""

    def __init__(self, base, log, rolling, image):
        self.log, self.applied = log, 0
        self.rolling = os.open(rolling, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        self.size = os.path.getsize(base)
        self.image = os.open(image, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(base, "rb") as file:
            copy_data(file.fileno(), self.rolling, self.size)

    def cut(self, number, random, unit):
        """Leaves the image of a cut after so many entries."""
        safe = self.log.last_flush(number)
        for entry in self.log.entries[self.applied:safe]:
            if entry.kind == WRITE:
                os.pwrite(self.rolling, entry.data, entry.offset)
        self.applied = max(self.applied, safe)
        copy_data(self.rolling, self.image, self.size)
        survivors = Survivors(random, unit)
        for entry in self.log.entries[safe:number]:
            if entry.kind == WRITE:
                for offset, data in survivors.of(entry):
                    os.pwrite(self.image, data, offset)


def copy_data(source, target, size):
    """Makes the target a copy, holes included."""
    os.ftruncate(target, 0)
    os.ftruncate(target, size)
    if size == 0:
        return
    with mmap.mmap(source, size, prot=mmap.PROT_READ) as memory, memoryview(memory) as view:
        position = 0
        while position < size:
            try:
                begin = os.lseek(source, position, os.SEEK_DATA)
            except OSError:
                return
            position = os.lseek(source, begin, os.SEEK_HOLE)
            while begin < position:
                begin += os.pwrite(target, view[begin:position], begin)
