"""Structs by name, as storage/schema/layout.txt lays them out, and values read by it."""

import pathlib
import re

from wire import Damaged, List, SCALARS

LAYOUT = pathlib.Path(__file__).resolve().parents[2] / "storage" / "schema" / "layout.txt"
POINTERS = ("data", "text")


class UnsupportedFormat(Exception):
    """Written by something newer."""


class Member:
    def __init__(self, name, kind, place, default):
        self.name, self.kind = name, kind  # kind: "": nothing is stored
        self.pointer = int(place[1:]) if place.startswith("p") else None
        self.bit = int(place) if place and self.pointer is None else None
        self.default = (float(default) if kind[0] == "f" else int(default)) if default else b""


class Layout:
    """Members; and for a union its tag's bit and, by tag, a name and either one member or a group's members."""

    def __init__(self):
        self.members, self.tag_bit, self.union = [], None, {}


MEMBER = re.compile(r"(\w+)(?: ((?:list )?[\w.]+) (p?\d+))?(?: = (\S+))?$")


def parse(text):
    layouts, layout, group = {}, None, None
    for line in text.splitlines():
        words = line.strip()
        if not words or words.startswith("#"):
            continue
        if not line.startswith(" "):
            layout = layouts[words.split(":")[0]] = Layout()
        elif words.startswith("union: "):
            layout.tag_bit = int(words.split()[-1])
        elif words[0].isdigit():
            tag, rest = words.split(" ", 1)
            group = [] if rest.endswith(":") else None
            only = None if rest.endswith(":") else Member(*parts(rest))
            layout.union[int(tag)] = (only.name if only else rest[:-1], only, group)
        else:
            (group if line.startswith("    ") else layout.members).append(Member(*parts(words)))
    return layouts


def parts(words):
    found = MEMBER.match(words)
    if not found:
        raise ValueError(f"the layout has a line that is none: {words}")
    return found[1], found[2] or "", found[3] or "", found[4]


class Reader:
    """Values as dictionaries: pointers that are null as None; of a union's members the one that is set."""

    def __init__(self, layouts):
        self.layouts = layouts

    def read(self, name, source):
        layout = self.layouts[name]
        value = {member.name: self.member(member, source) for member in layout.members}
        if layout.tag_bit is None:
            return value
        tag = source.scalar("u16", layout.tag_bit)
        if tag not in layout.union:
            raise UnsupportedFormat(f"a {name} has a member with tag {tag}, which this reader does not know")
        chosen, only, group = layout.union[tag]
        value["which"] = chosen
        if group is None:
            value[chosen] = self.member(only, source)
        else:
            value[chosen] = {member.name: self.member(member, source) for member in group}
        return value

    def member(self, member, source):
        if member.bit is not None:
            return source.scalar(member.kind, member.bit, member.default)
        if member.pointer is None:
            return None
        found = source.pointer(member.pointer)
        if found is None:
            return None
        if not member.kind.startswith("list "):
            return self.pointed(member.kind, found)
        element = member.kind[5:]
        if element in SCALARS or element == "bool":
            return found.scalars(element)
        if element in POINTERS:
            return [None if one is None else self.pointed(element, one) for one in found.pointers()]
        return [self.read(element, one) for one in found.structs()]

    def pointed(self, kind, found):
        if (kind in POINTERS) != isinstance(found, List):
            raise Damaged(f"a {kind} is of another kind")
        if kind == "data":
            return found.as_bytes()
        if kind == "text":
            return found.as_bytes()[:-1].decode()
        return self.read(kind, found)


def records():
    return Reader(parse(LAYOUT.read_text(encoding="utf-8")))
