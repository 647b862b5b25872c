#!/usr/bin/env python3
"""Counts test cases in the log of `meson test`: those of programs that end with a summary like doctest's one by one,
other programs as one each.

Usage: count_tests.py TESTLOG.JSON STATUS, where STATUS is what `meson test` exited with. Prints "N passed, N failed" and
exits with 1 unless all passed. With CI=true a skipped test case has failed.
"""

import json
import os
import re
import sys

SUMMARY = re.compile(r"\[\w+\] test cases:\s*(\d+) \|\s*(\d+) passed \|\s*(\d+) failed \|\s*(\d+) skipped")
PASSED = {"OK", "EXPECTEDFAIL"}
SKIPPED = {"SKIP", "IGNORED"}


def count_one(test):
    """(passed, failed, skipped) of one program."""
    summaries = SUMMARY.findall(test.get("stdout") or "")
    passed = sum(int(found[1]) for found in summaries)
    failed = sum(int(found[2]) for found in summaries)
    skipped = sum(int(found[3]) for found in summaries)
    if test["result"] in SKIPPED:
        return passed, failed, max(skipped, 1)
    if test["result"] in PASSED:
        return (passed, failed, skipped) if summaries else (1, 0, 0)
    # It failed without saying which case did: a crash, a timeout.
    return passed, max(failed, 1), skipped


def main():
    log, status = sys.argv[1], int(sys.argv[2])
    passed = failed = skipped = 0
    if os.path.exists(log):
        with open(log, encoding="utf-8") as lines:
            for line in lines:
                one = count_one(json.loads(line))
                passed, failed, skipped = passed + one[0], failed + one[1], skipped + one[2]
    if skipped and os.environ.get("CI", "").lower() in ("true", "1"):
        print(f"{skipped} skipped, which counts as failed here")
        failed += skipped
    elif skipped:
        print(f"{skipped} skipped")
    if passed + failed == 0 or (status != 0 and failed == 0):
        print(f"meson test ended with status {status}; {passed} test cases were counted")
        failed = max(failed, 1)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
