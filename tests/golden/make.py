#!/usr/bin/python3
"""Makes the golden log of a format, once: make.py BUILD FORMAT [--replace], where BUILD is built and FORMAT a name such as
format-1. Writes into the folder FORMAT beside this file: the log, what today's `bobbin` says of it, and each record as the
second reader has it. --replace is for a format that has not been released; the files of a released one are never changed
(README.md).
"""

import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import reader
from expectation import expectation


def main():
    build, name = pathlib.Path(sys.argv[1]), sys.argv[2]
    target = pathlib.Path(__file__).resolve().parent / name
    if target.exists() and "--replace" not in sys.argv[3:]:
        sys.exit(f"{target} is there already: the files of a released format are never changed")
    with tempfile.TemporaryDirectory() as aside:
        subprocess.run([build / "tests/golden/golden-generate", aside], check=True)
        target.mkdir(exist_ok=True)
        shutil.copyfile(f"{aside}/data.mdb", target / "data.mdb")
        said = expectation(build / "tools/inspect/bobbin", aside)
        show = reader.Show(reader.Log(aside))
        said["records"] = [show.record(one) for one in show.log.records.values()]
    (target / "expected.json").write_text(json.dumps(said, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{target}: {(target / 'data.mdb').stat().st_size} bytes, {len(said['show'])} instances")


if __name__ == "__main__":
    main()
