# SPDX-License-Identifier: Apache-2.0
"""Tasks in processes of their own, several at once."""
import contextlib
import json
import os
import selectors
import signal
import sys
import time
import traceback

import kernel


def run(tasks, jobs):
    """Yields what the tasks yield, as pairs of the task's key and an object; a task is a pair of a key and a generator function.

    Processes are needed for mounts: each task has its own.
    """
    tasks, selector = iter(tasks), selectors.DefaultSelector()
    running = {}
    try:
        while True:
            while len(running) < jobs and (task := next(tasks, None)):
                reader, process = start(task[1])
                running[reader] = (process, task[0])
                selector.register(reader, selectors.EVENT_READ)
            if not running:
                return
            for ready, _ in selector.select():
                reader = ready.fileobj
                line = reader.readline()
                if line:
                    yield running[reader][1], result(line)
                else:
                    selector.unregister(reader)
                    end_group(running.pop(reader)[0])
                    reader.close()
    finally:
        for process, _ in running.values():
            end_group(process)


def start(work):
    reader, writer = os.pipe()
    process = os.fork()
    # A group of its own, known to both at once.
    with contextlib.suppress(OSError):
        os.setpgid(process, process)
    if process == 0:
        child(work, writer)
    os.close(writer)
    # Without a buffer: what is in one would not be seen by select.
    return open(reader, "rb", buffering=0), process


def result(line):
    found = json.loads(line)
    if "error" in found:
        raise RuntimeError(found["error"])
    return found


def child(work, writer):
    """Ends the process."""
    status = 1
    with os.fdopen(writer, "w", encoding="utf-8") as output:
        try:
            kernel.end_with_parent()
            kernel.own_mounts()
            for found in work():
                print(json.dumps(found), file=output, flush=True)
            status = 0
        except BaseException:
            print(json.dumps({"error": traceback.format_exc()}), file=output, flush=True)
    sys.stdout.flush()
    os._exit(status)


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
