"""What `bobbin` says of a log: all of it, as one object."""

import json
import subprocess


def bobbin(tool, directory, *arguments):
    """(exit status, what it printed, what it complained of)"""
    done = subprocess.run([str(tool), *arguments, "--directory", str(directory)], capture_output=True, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def said(tool, directory, *arguments):
    status, printed, complaint = bobbin(tool, directory, *arguments, "--json")
    if complaint:
        raise AssertionError(f"bobbin {' '.join(arguments)} ends with {status}: {complaint}")
    return printed


def expectation(tool, directory):
    """ls, stats, and show of each instance by its id: the last run, and by run number those before that are there."""
    listed = [json.loads(line) for line in said(tool, directory, "ls").splitlines()]
    shown = {}
    for instance in listed:
        last = json.loads(said(tool, directory, "show", instance["id"]))
        shown[instance["id"]] = [last]
        while predecessor := predecessor_of(shown[instance["id"]][-1]):
            status, printed, _ = bobbin(tool, directory, "show", instance["id"], "--run", str(predecessor), "--json")
            if status != 0:
                break  # purged
            shown[instance["id"]].append(json.loads(printed))
    return {"stats": json.loads(said(tool, directory, "stats")), "ls": listed, "show": shown}


def predecessor_of(shown):
    for record in shown["records"]:
        for given in record.get("inputs", []):
            if given["kind"] == "start":
                return given.get("predecessor", 0)
    return 0
