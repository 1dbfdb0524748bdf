# SPDX-License-Identifier: Apache-2.0
"""What every workload has: commands that are recorded, and their judgement after a cut.

A workload has `prepare()`, `steps(random)` that yields lists of commands, `state()` with the objects by name, `lost(state)` with
what is wrong with it, and `judge(before, after, command, random)` that returns a verdict.
"""
import subprocess
from dataclasses import dataclass, field


@dataclass
class Command:
    """One command: its words for people, what runs it and returns its status, and how its crash is judged."""
    text: str
    run: callable
    # All or nothing.
    single: bool = True
    # Layers whose trees may be anything while it runs.
    loose: tuple = ()
    # Whether it can be given again if the cut undid it.
    again: bool = True


@dataclass
class Done:
    """A command that was recorded, with its place in the log and the states before and after it."""
    command: Command
    begin: int
    end: int
    status: int
    before: dict
    after: dict


@dataclass
class Verdict:
    broken: list = field(default_factory=list)
    leaking: list = field(default_factory=list)
    refused: list = field(default_factory=list)


def run(words, environment=None, timeout=120):
    """Runs a program with nothing of the caller's environment but the path."""
    try:
        return subprocess.run(
            words, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(words, -1, b"", f"does not end within {timeout} s".encode())
