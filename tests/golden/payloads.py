"""Payloads as JSON, by the schemas that the log holds; as `bobbin show --json` prints them."""

import datetime
import math
import struct

import layout
from wire import Damaged, List, Message

# What of Cap'n Proto's own schema.capnp (0.9) is needed, in the notation of storage/schema/layout.txt.
SCHEMA_NODES = layout.parse("""
CodeGeneratorRequest: 0 words, 4 pointers
  nodes list Node p0
Node: 5 words, 6 pointers
  id u64 0
  union: tag u16 96
  0 file
  1 struct:
    discriminantCount u16 240
    discriminantOffset u32 256
    fields list Field p3
  2 enum:
    enumerants list Enumerant p3
  3 interface
  4 const
  5 annotation
Enumerant: 1 words, 2 pointers
  name text p0
Field: 3 words, 4 pointers
  name text p0
  discriminantValue u16 16 = 65535
  union: tag u16 64
  0 slot:
    offset u32 32
    type Type p2
    defaultValue Value p3
  1 group:
    typeId u64 128
Type: 3 words, 1 pointers
  union: tag u16 0
  0 void
  1 bool
  2 i8
  3 i16
  4 i32
  5 i64
  6 u8
  7 u16
  8 u32
  9 u64
  10 f32
  11 f64
  12 text
  13 data
  14 list:
    elementType Type p0
  15 enum:
    typeId u64 64
  16 struct:
    typeId u64 64
  17 interface
  18 anyPointer
Value: 2 words, 1 pointers
  union: tag u16 0
  0 void
  1 bool bool 16
  2 i8 i8 16
  3 i16 i16 16
  4 i32 i32 32
  5 i64 i64 64
  6 u8 u8 16
  7 u16 u16 16
  8 u32 u32 32
  9 u64 u64 64
  10 f32 f32 32
  11 f64 f64 64
  12 text
  13 data
  14 list
  15 enum u16 16
  16 struct
  17 interface
  18 anyPointer
""")
NO_DISCRIMINANT = 65535
BITS = {"bool": 1, "i8": 8, "u8": 8, "i16": 16, "u16": 16, "i32": 32, "u32": 32, "f32": 32, "enum": 16}


class Undecodable(Exception):
    pass


def time_text(micros):
    whole, rest = divmod(micros, 1_000_000)
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=whole)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{rest:06d}Z"


def text_json(raw):
    """Text as it is, anything else as {"hex": ...}."""
    raw = raw or b""
    printable = all(byte >= 0x20 or byte in b"\n\t" for byte in raw)
    try:
        return raw.decode() if printable else {"hex": raw.hex()}
    except UnicodeDecodeError:
        return {"hex": raw.hex()}


# ---- Codec 2: plain structs ----


def varint(raw, at):
    value = shift = 0
    while True:
        if at >= len(raw) or shift > 63:
            raise Undecodable("a number ends too early or not at all")
        value |= (raw[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if raw[at - 1] < 0x80:
            return value & (1 << 64) - 1, at


def unzigzag(value):
    return value >> 1 ^ -(value & 1)


def field_tables(text):
    tables, table = {}, None
    for line in text.splitlines():
        if line.startswith("struct "):
            table = tables[line[7:]] = {}
            continue
        number, name, kind = line.split(" ", 2)
        table[int(number)] = (name, kind.removeprefix("list "), kind.startswith("list "))
    return tables


def fields_json(tables, name, raw):
    value, at = {}, 0
    while at < len(raw):
        tag, at = varint(raw, at)
        number, kind = tag >> 2, tag & 3
        if kind == 0:
            content, at = varint(raw, at)
        elif kind == 1:
            content, at = raw[at : at + 8], at + 8
        elif kind == 2:
            size, at = varint(raw, at)
            content, at = raw[at : at + size], at + size
        else:
            raise Undecodable(f"field {number} is of an unknown kind")
        if at > len(raw):
            raise Undecodable(f"field {number} ends too late")
        if number not in tables[name]:
            continue
        member, type_name, is_list = tables[name][number]
        shown = field_value(tables, type_name, content)
        if is_list:
            value.setdefault(member, []).append(shown)
        else:
            value[member] = shown
    return value


def field_value(tables, type_name, content):
    if type_name == "string":
        return text_json(content)
    if type_name == "double":
        return struct.unpack("<d", content)[0]
    if type_name == "bool":
        return content != 0
    if type_name in ("int", "duration_us"):
        return unzigzag(content)
    if type_name == "uint":
        return content
    if type_name == "time_us":
        return time_text(unzigzag(content))
    return fields_json(tables, type_name, content)


# ---- Codec 3: Cap'n Proto ----


class CapnpSchema:
    def __init__(self, raw):
        request = layout.Reader(SCHEMA_NODES).read("CodeGeneratorRequest", Message.with_table(raw).root())
        self.nodes = {node["id"]: node for node in request["nodes"]}

    def json(self, type_id, source):
        node = self.nodes[type_id]["struct"]
        tag = None
        if node["discriminantCount"]:
            tag = source.scalar("u16", 16 * node["discriminantOffset"])
        value = {}
        for field in node["fields"] or []:
            in_union = field["discriminantValue"] != NO_DISCRIMINANT
            if in_union and field["discriminantValue"] != tag:
                continue
            if field["which"] == "group":
                value[field["name"]] = self.json(field["group"]["typeId"], source)
                continue
            slot = field["slot"]
            shown = self.slot(slot, source)
            # A null pointer is left out, unless it is what a union's tag other than 0 says.
            if shown is not None or slot["type"]["which"] == "void" or (in_union and tag != 0):
                value[field["name"]] = shown
        return value

    def slot(self, slot, source):
        kind, offset = slot["type"]["which"], slot["offset"]
        if kind == "void":
            return None
        if kind in ("text", "data", "list", "struct", "interface", "anyPointer"):
            found = source.pointer(offset)
            return None if found is None else self.pointed(slot["type"], found)
        default = slot["defaultValue"][kind] if slot["defaultValue"] else b""
        bits = BITS.get(kind, 64)
        stored = source.scalar("u16" if kind == "enum" else kind, offset * bits, default)
        return self.shown(slot["type"], stored)

    def shown(self, kind, stored):
        which = kind["which"]
        if which == "enum":
            names = self.nodes[kind["enum"]["typeId"]]["enum"]["enumerants"]
            return names[stored]["name"] if stored < len(names) else stored
        if which in ("i64", "u64"):
            return str(stored)  # as Cap'n Proto's own JSON has it: not every reader has 64 bits
        if which in ("f32", "f64") and not math.isfinite(stored):
            return {"inf": "Infinity", "-inf": "-Infinity"}.get(str(stored), "NaN")
        return stored

    def pointed(self, kind, found):
        which = kind["which"]
        if which == "struct":
            return self.json(kind["struct"]["typeId"], found)
        if not isinstance(found, List):
            raise Damaged("a list is none")
        if which == "text":
            return found.as_bytes()[:-1].decode()
        if which == "data":
            return list(found.as_bytes())
        if which != "list":
            raise Undecodable(f"a member of type {which}")
        element = kind["list"]["elementType"]
        name = element["which"]
        if name == "struct":
            return [self.json(element["struct"]["typeId"], one) for one in found.structs()]
        if name in ("text", "data", "list"):
            return [self.empty(name) if one is None else self.pointed(element, one) for one in found.pointers()]
        if name == "void":
            return [None] * found.count
        return [self.shown(element, one) for one in found.scalars("u16" if name == "enum" else name)]

    @staticmethod
    def empty(name):
        return "" if name == "text" else []


class Decoder:
    def __init__(self, schemas):
        self.schemas, self.parsed = schemas, {}  # schemas: rows by hash

    def json(self, payload):
        """A payload as read by layout.txt, or None."""
        if payload is None or payload["codec"] == 0:
            return None
        raw = payload["bytes"] or b""
        if payload["codec"] == 1:
            return text_json(raw)
        schema = self.schemas[payload["schemaHash"]]
        if schema["hash"] not in self.parsed:
            text = schema["text"] or b""
            parsed = field_tables(text.decode()) if payload["codec"] == 2 else CapnpSchema(text)
            self.parsed[schema["hash"]] = parsed
        parsed = self.parsed[schema["hash"]]
        if payload["codec"] == 2:
            return fields_json(parsed, schema["name"].decode(), raw)
        return parsed.json(schema["typeId"], Message([raw]).root())
