#!/usr/bin/env python3
"""Checks what no compiler checks: include directions, cycles, listed sources, leftover markers, sleeping tests.

Usage: tidy.py ROOT. Names each complaint with its file and line; exits with 1 if there is one. Long files are named, too,
but that alone is no complaint. The rules are those of README.md in the folders concerned.
"""

import pathlib
import re
import sys

FOLDERS = ("engine", "storage", "workflows", "tools", "tests")
SOURCES = (".cpp", ".hpp")
LINES_MAX = 450

# Whose public headers (<bobbin/...>) and whose files ("folder/...") a folder may include. Missing here: everything.
MAY_INCLUDE_PUBLIC = {
    "engine": ("engine",),
    "storage": ("engine", "storage"),
    "workflows": ("engine", "workflows"),
}
MAY_INCLUDE_FILES = {"engine": ("engine",), "storage": ("storage",), "workflows": ()}

# Not in public headers, but in the opt-in ones.
FOREIGN_INCLUDE = re.compile(r"^(lmdb|boost/|capnp/|kj/|spdlog/|fmt/|sodium|xxhash)")
FOREIGN_TYPE = re.compile(r"\b(MDB_\w+|boost::|capnp::|kj::|spdlog::|fmt::)")
OPT_IN = {"bobbin/capnp.hpp": ("capnp", "kj"), "bobbin/spdlog.hpp": ("spdlog", "fmt")}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
MARKER = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
SLEEP = re.compile(r"\b(sleep_for|sleep_until|usleep|nanosleep|sleep)\s*\(")
LISTED = re.compile(r"'([^']+\.cpp)'")


class Tree:
    def __init__(self, root):
        self.root = pathlib.Path(root).resolve()
        self.complaints = []
        self.notes = []
        self.files = sorted(
            path for folder in FOLDERS for path in (self.root / folder).rglob("*") if path.suffix in SOURCES
        )
        self.text = {path: path.read_text(encoding="utf-8").splitlines() for path in self.files}
        self.public = {}  # "bobbin/x.hpp" -> (folder, path)
        for path in self.files:
            parts = path.relative_to(self.root).parts
            if len(parts) > 2 and parts[1] == "include":
                self.public["/".join(parts[2:])] = (parts[0], path)

    def complain(self, path, line, what):
        self.complaints.append(f"{path.relative_to(self.root)}:{line}: {what}")

    def folder(self, path):
        return path.relative_to(self.root).parts[0]

    def includes(self, path):
        """(line number, how it is quoted, what) of each include."""
        for number, line in enumerate(self.text[path], 1):
            found = INCLUDE.match(line)
            if found:
                yield number, found[1], found[2]

    def resolve(self, path, name):
        if name in self.public:
            return self.public[name][1]
        for base in (self.root, path.parent):
            if (base / name) in self.text:
                return base / name
        return None

    def check_directions(self, path):
        folder = self.folder(path)
        for number, quote, name in self.includes(path):
            if quote == "<" and name in self.public:
                owner = self.public[name][0]
                if owner not in MAY_INCLUDE_PUBLIC.get(folder, FOLDERS):
                    self.complain(path, number, f"{folder} may not include <{name}> of {owner}")
            if quote == '"':
                owner = name.split("/")[0]
                if owner not in FOLDERS:
                    self.complain(path, number, f'"{name}" is not written from the root')
                elif owner not in MAY_INCLUDE_FILES.get(folder, FOLDERS):
                    self.complain(path, number, f'{folder} may not include "{name}"')

    def check_public_header(self, path):
        name = next((name for name, (_, where) in self.public.items() if where == path), None)
        if name is None:
            return
        allowed = OPT_IN.get(name, ())
        for number, quote, included in self.includes(path):
            if FOREIGN_INCLUDE.match(included) and not included.startswith(allowed or "\0"):
                self.complain(path, number, f"a public header includes <{included}>")
            if quote == '"':
                self.complain(path, number, f'a public header includes "{included}"')
        for number, line in enumerate(self.text[path], 1):
            found = FOREIGN_TYPE.search(line.split("//")[0])
            if found and not found[1].startswith(allowed or "\0"):
                self.complain(path, number, f"a public header names {found[1]}")

    def check_lines(self, path):
        in_tests = self.folder(path) == "tests"
        for number, line in enumerate(self.text[path], 1):
            if MARKER.search(line):
                self.complain(path, number, f"leftover marker {MARKER.search(line)[1]}")
            if in_tests and SLEEP.search(line.split("//")[0]):
                self.complain(path, number, f"a test sleeps: {SLEEP.search(line)[1]}")
        if len(self.text[path]) > LINES_MAX:
            self.notes.append(f"{path.relative_to(self.root)} has {len(self.text[path])} lines")

    def check_listed(self):
        listed = set()
        for build in [self.root / "meson.build", *(b for f in FOLDERS for b in (self.root / f).rglob("meson.build"))]:
            if not build.exists():
                continue
            for number, line in enumerate(build.read_text(encoding="utf-8").splitlines(), 1):
                if MARKER.search(line):
                    self.complain(build, number, f"leftover marker {MARKER.search(line)[1]}")
                for name in LISTED.findall(line.split("#")[0]):
                    listed.add((build.parent / name).resolve())
        for path in self.files:
            if path.suffix == ".cpp" and path not in listed:
                self.complain(path, 1, "is listed in no meson.build")

    def check_cycles(self):
        """Complains once for each cycle that a walk in depth closes."""
        done, on_path = set(), []

        def visit(path):
            if path in on_path:
                cycle = on_path[on_path.index(path):] + [path]
                names = " -> ".join(str(one.relative_to(self.root)) for one in cycle)
                self.complain(path, 1, f"include cycle: {names}")
                return
            if path in done:
                return
            on_path.append(path)
            for _, _, name in self.includes(path):
                target = self.resolve(path, name)
                if target is not None:
                    visit(target)
            on_path.pop()
            done.add(path)

        for path in self.files:
            visit(path)

    def check(self):
        for path in self.files:
            self.check_directions(path)
            self.check_public_header(path)
            self.check_lines(path)
        self.check_listed()
        self.check_cycles()


def main():
    tree = Tree(sys.argv[1])
    if not tree.files:
        sys.exit(f"no sources below {tree.root}")
    tree.check()
    for note in tree.notes:
        print(f"long: {note}")
    for complaint in tree.complaints:
        print(complaint)
    print(f"{len(tree.files)} files, {len(tree.complaints)} complaints")
    return 1 if tree.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
