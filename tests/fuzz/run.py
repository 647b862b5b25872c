#!/usr/bin/env python3
"""Runs one fuzz target for a while over its corpus, which stays as it is.

Usage: run.py PROGRAM CORPUS [--seconds S] [--seed N] [--keep FOLDER]

The seed is 1 unless given; 0 takes a new one. What the run discovers is kept in FOLDER if one is named. When an input
breaks the target, it is printed in hexadecimal, and the exit status is 1.
"""

import argparse
import pathlib
import subprocess
import sys
import tempfile

# Memory in MB for the process, and for one allocation. Seconds for one input.
RSS_MAX, ALLOCATION_MAX, INPUT_SECONDS_MAX = 1024, 256, 20


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("corpus", type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=pathlib.Path)
    args = parser.parse_args()
    if not any(args.corpus.iterdir()):
        sys.exit(f"run.py: {args.corpus} holds no seeds")
    with tempfile.TemporaryDirectory() as scratch:
        found = args.keep or pathlib.Path(scratch, "found")
        broken = pathlib.Path(scratch, "broken")
        found.mkdir(parents=True, exist_ok=True)
        broken.mkdir()
        done = subprocess.run(
            [args.program, f"-max_total_time={args.seconds}", f"-seed={args.seed}", f"-rss_limit_mb={RSS_MAX}",
             f"-malloc_limit_mb={ALLOCATION_MAX}", f"-timeout={INPUT_SECONDS_MAX}", f"-artifact_prefix={broken}/",
             "-print_final_stats=1", "-verbosity=0", found, args.corpus], check=False)
        for path in sorted(broken.iterdir()):
            content = path.read_bytes()
            print(f"{path.name}, {len(content)} bytes: {content.hex()}")
            print("write it into the corpus with: xxd -r -p; and give the file alone to", args.program)
        return 1 if done.returncode != 0 else 0


if __name__ == "__main__":
    sys.exit(main())
