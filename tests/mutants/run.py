#!/usr/bin/python3
"""Applies each planted bug to a copy of the tree, builds it, and says which check finds it and after how long.

run.py [--jobs N] [NAME ...]: all patches beside this file, or those named; N at a time, each in a tree of its own. Exit status
0 only if every one was caught; a survivor means that a check is missing. Not part of the test suite: each takes a build.
`run.py --check` only sees whether each still applies to the tree, which is a test. README.md says what a patch is.
"""

import argparse
import concurrent.futures
import pathlib
import queue
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
DOCTEST = ["--abort-after=1", "--minimal=true"]

# In the order in which they are tried: a patch is caught by the first that fails, or that does not come to its end.
CHECKS = {
    "engine-unit": ["tests/engine/engine-unit", *DOCTEST],
    "storage-unit": ["tests/storage/storage-unit", *DOCTEST],
    "gateway-unit": ["tests/gateway/gateway-unit", *DOCTEST],
    "engine-threads": ["tests/engine/engine-threads", *DOCTEST],
    "sim": ["tests/sim/bobbin-sim", "--seconds", "60", "--no-shrink"],
}
SECONDS_MAX = 300


class Failed(Exception):
    pass


def run(command, where, seconds=None):
    return subprocess.run(command, cwd=where, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", timeout=seconds)


def must(command, where):
    done = run(command, where)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))} failed:\n{done.stdout[-2000:]}")
    return done.stdout


def copy_tree(target):
    files = must(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], ROOT).split("\0")
    for name in filter(None, files):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    must(["git", "init", "-q"], target)


def build(tree):
    must(["ninja", "-C", "build", *(command[0] for command in CHECKS.values())], tree)


def first_failure(tree):
    """The check that fails, how it does, and after how many seconds; None if all pass."""
    for name, command in CHECKS.items():
        begin = time.monotonic()
        try:
            done = run([tree / "build" / command[0], *command[1:]], tree, SECONDS_MAX)
            how = None if done.returncode == 0 else "fails"
        except subprocess.TimeoutExpired:
            how = "does not end"
        if how:
            return name, how, time.monotonic() - begin
    return None


def check_that_they_apply(patches):
    lost = [patch.stem for patch in patches if run(["git", "apply", "--check", patch], ROOT).returncode != 0]
    for name in lost:
        print(f"{name}.patch no longer applies: make it anew against what stands in its place now")
    print(f"mutants={len(patches)} applicable={len(patches) - len(lost)}")
    return bool(lost)


def try_patch(patch, trees):
    """What becomes of the patch in the next free tree, as a line; and whether it was caught."""
    tree = trees.get()
    try:
        must(["git", "apply", patch], tree)
        try:
            build(tree)
            failure = first_failure(tree)
        finally:
            must(["git", "apply", "-R", patch], tree)
    except Failed as broken:
        return f"{patch.stem:28} NOT TRIED: {broken}", False
    finally:
        trees.put(tree)
    if failure is None:
        return f"{patch.stem:28} SURVIVED", False
    return "{:28} caught: {} {} after {:.1f} s".format(patch.stem, *failure), True


def make_tree(tree):
    tree.mkdir()
    copy_tree(tree)
    # Without debug information: builds are quicker, and a compiler cache serves all trees.
    must(["meson", "setup", "build", "-Ddebug=false", "-Dfuzz=disabled"], tree)
    build(tree)
    return tree


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="patches to try; all if none is named")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="patches to try at a time")
    parser.add_argument("--check", action="store_true", help="only whether each applies")
    arguments = parser.parse_args()
    patches = [HERE / f"{name}.patch" for name in arguments.names] or sorted(HERE.glob("*.patch"))
    if arguments.check:
        return check_that_they_apply(patches)
    survivors = 0
    with tempfile.TemporaryDirectory(prefix="bobbin-mutants-") as aside:
        trees = queue.SimpleQueue()
        for number in range(min(arguments.jobs, len(patches))):
            trees.put(make_tree(pathlib.Path(aside) / str(number)))
        whole = trees.get()
        if failure := first_failure(whole):
            raise Failed(f"{failure[0]} {failure[1]} without any patch: mend that first")
        trees.put(whole)
        with concurrent.futures.ThreadPoolExecutor(trees.qsize()) as workers:
            for line, caught in workers.map(lambda patch: try_patch(patch, trees), patches):
                survivors += not caught
                print(line, flush=True)
    print(f"mutants={len(patches)} caught={len(patches) - survivors} survived={survivors}")
    return survivors != 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as failure:
        sys.exit(f"run.py: {failure}")
