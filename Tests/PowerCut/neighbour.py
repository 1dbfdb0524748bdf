# SPDX-License-Identifier: Apache-2.0
"""Another program on the same file system."""
import os
import threading
from random import Random


class Neighbour:
    """Flushes a file of its own now and then: the file system writes its log, with everybody's changes, but not their content."""

    def __init__(self, directory, random):
        self.busy, self.ended = False, threading.Event()
        self.random, self.path = Random(random.random()), directory + "/neighbour"
        self.thread = threading.Thread(target=self.work, daemon=True)
        self.thread.start()

    def work(self):
        while not self.ended.wait(self.random.uniform(0.001, 0.03)):
            if self.busy:
                with open(self.path, "wb") as file:
                    file.write(b"x")
                    file.flush()
                    os.fsync(file.fileno())

    def close(self):
        self.ended.set()
        self.thread.join()
