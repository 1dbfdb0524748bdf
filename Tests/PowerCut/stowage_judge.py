# SPDX-License-Identifier: Apache-2.0
"""Judges a store after a cut: the program must open it, everything promised must be there, nothing may be left over."""
import contextlib
import hashlib
import json
import os
import re
import sys

import storestate
import trees
from workload import Verdict

INSPECTOR = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "CrashTests", "inspect-store.py")
LISTS = ("layers", "images", "containers")


class Judge:
    def __init__(self, store, first_opener):
        self.store, self.places, self.first_opener = store, store.places, first_opener
        with open(INSPECTOR, encoding="utf-8") as file:
            self.inspector = compile(file.read(), INSPECTOR, "exec")

    def judge(self, before, after, command, random):
        verdict = Verdict()
        self.look(before, after, command, random, verdict)
        for trait, texts in vars(verdict).items():
            # The same is often seen in several ways.
            short = [storestate.brief(text.replace(self.store.work + "/", "")) for text in texts]
            setattr(verdict, trait, list(dict.fromkeys(short)))
        return verdict

    def look(self, before, after, command, random, verdict):
        if self.first_opener == "debian":
            self.open_with_debian(before, after, verdict)
            before, after = known_to_debian(before), known_to_debian(after)
        lists = {kind: self.listed(kind, verdict) for kind in LISTS}
        if verdict.broken:
            return
        try:
            found = self.compare(before, after, command, lists, verdict)
            left = self.leftovers()
            if any(text.startswith("images data ") for text in left):
                # Those of an image without record go when that is asked for: it may be lost.
                self.call(verdict, "gc")
                left = [text for text in left if not text.startswith("images data ")] + self.leftovers()
            verdict.leaking += left
            self.try_mounts(random, verdict)
            self.try_diff(random, verdict)
            self.check(verdict)
            if not verdict.broken and command and command.again and found != after:
                self.try_again(command, verdict)
        except (OSError, ValueError, KeyError) as error:
            verdict.broken.append(f"cannot be read: {error if isinstance(error, OSError) else repr(error)}")
        if verdict.leaking:
            self.collect(verdict)

    def call(self, verdict, *words):
        """Runs the program; a failure is told. Returns standard output, or nothing."""
        ended = self.store.call(*words)
        if ended.returncode != 0:
            verdict.broken.append(f"{' '.join(words)}: {failure(ended)}")
            return None
        return ended.stdout

    def listed(self, kind, verdict):
        output = self.call(verdict, kind, "-j")
        return {record["id"] for record in json.loads(output) or []} if output is not None else set()

    def compare(self, before, after, command, lists, verdict):
        found = self.places.state()
        if self.first_opener == "debian":
            found = known_to_debian(found)
        verdict.broken += storestate.compare(
            before, after, found, command is None or command.single,
            ["layer " + layer for layer in command.loose] if command else ())
        for kind in LISTS:
            recorded = {name.split(" ")[1] for name in found if name.startswith(kind[:-1] + " ")}
            for name in sorted(recorded ^ lists[kind]):
                verdict.broken.append(f"{kind}: {name} is only {'recorded' if name in recorded else 'listed'}")
        return found

    def leftovers(self):
        """What inspect-store.py finds; it prints, and takes its words from the command line."""
        found, places = [], self.places.all
        for place in places:
            words = [INSPECTOR, self.store.driver, place, self.store.run_root, *(other for other in places if other != place)]
            lines = []
            with words_of_program(words):
                exec(self.inspector, {"__name__": "inspector", "print": lambda *text: lines.append(" ".join(map(str, text)))})
            found += [line.removeprefix("left ") for line in lines if line.startswith("left ")]
        return [text for text in found if is_left(text)]

    def try_mounts(self, random, verdict):
        """The newest container and another one show what their layers have."""
        records = [record for _, record in self.places.found("containers").values()]
        chosen = records[-1:] + (random.sample(records[:-1], 1) if len(records) > 1 else [])
        for record in chosen:
            output = self.call(verdict, "mount", record["id"])
            if output is None:
                continue
            point = os.fsdecode(output.strip().split(b"\n")[-1])
            try:
                wrong = trees.difference(self.places.whole_tree(record["layer"]), trees.read(point, True))
            finally:
                self.call(verdict, "unmount", record["id"])
            if wrong:
                verdict.broken.append(f"mount {record['id']} shows other content: {wrong}")

    def try_diff(self, random, verdict):
        """The archive of a layer that was imported comes back."""
        imported = [record for _, record in self.places.found("layers").values() if record.get("diff-digest")
                    and record.get("diff-size", 0) >= 0 and not record.get("toc-digest")]
        if not imported:
            return
        record = random.choice(imported)
        output = self.call(verdict, "diff", "-u", record["id"])
        if output is not None and "sha256:" + hashlib.sha256(output).hexdigest() != record["diff-digest"]:
            verdict.broken.append(f"diff {record['id']} gives other bytes")

    def check(self, verdict):
        """Problems are indented, below what has them; those of a layer are repeated below its image."""
        ended = self.store.call("check")
        problems = [line[1:] for line in ended.stdout.decode(errors="replace").split("\n") if line.startswith(" ")]
        for text in problems:
            leak = text.endswith("not accounted for") or "not referenced" in text
            (verdict.leaking if leak else verdict.broken).append("check: " + text)
        if ended.returncode != 0 and not problems:
            verdict.broken.append("check: " + failure(ended))

    def try_again(self, command, verdict):
        """What the cut undid can be done now, or, if it was done in part, goes on."""
        status = command.run()
        if status != 0:
            verdict.broken.append(f"given again, {command.text} ends with status {status}")

    def collect(self, verdict):
        """What garbage collection leaves is told as well."""
        self.call(verdict, "gc")
        verdict.leaking += ["after gc: " + text for text in self.leftovers()]

    def open_with_debian(self, before, after, verdict):
        for kind in LISTS:
            ended = self.store.debian(kind)
            if ended.returncode != 0:
                verdict.refused.append(f"{kind}: {failure(ended)}")
        for name in sorted(before.keys() & after.keys()):
            if name.startswith("container "):
                ended = self.store.debian("mount", name.split(" ")[1])
                if ended.returncode != 0:
                    verdict.refused.append(f"mount {name}: {failure(ended)}")
                self.store.debian("unmount", name.split(" ")[1])
                break


def failure(ended):
    text = (ended.stdout[:300] + ended.stderr[-300:]).decode(errors="replace").strip()
    return f"status {ended.returncode}: {text}"


def is_left(text):
    """Of what the inspector says, what is too much; what is missing is found by comparing."""
    counts = re.fullmatch(r"(\d+) links for (\d+) layers", text)
    if counts:
        return int(counts[1]) > int(counts[2])
    return not re.match("no directory for|other content in item|item .* is lost", text)


@contextlib.contextmanager
def words_of_program(words):
    old, sys.argv = sys.argv, words
    try:
        yield
    finally:
        sys.argv = old


def known_to_debian(state):
    """A state without the members of records that Debian's program drops when it writes them anew: it is older than they are."""
    return {name: value | {"record": {key: member for key, member in value["record"].items() if key != "toc-digest"}}
            for name, value in state.items()}
