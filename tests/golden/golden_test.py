#!/usr/bin/python3
"""Holds the golden logs, the second reader, the described layout and `bobbin` against each other.

Usage: golden_test.py BOBBIN CAPNP GENERATE, which makes a log as the engine writes it today. Prints a line for each check
and their count, as tools/count_tests.py reads it; exits with 1 if one failed.
"""

import contextlib
import io
import json
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import traceback

import lmdb
import xxhash

import layout
import reader
from expectation import bobbin, expectation
from wire import Damaged, Message

HERE = pathlib.Path(__file__).resolve().parent
SCHEMA = HERE.parents[1] / "storage" / "schema" / "record.capnp"
LOGS = sorted(path for path in HERE.glob("format-*") if path.is_dir())
CASES = []


def case(function):
    CASES.append(function)
    return function


def expect(holds, what):
    if not holds:
        raise AssertionError(what)


def same(found, expected, where=""):
    """Says at which member two values differ."""
    if isinstance(found, dict) and isinstance(expected, dict):
        expect(found.keys() == expected.keys(), f"{where}: members {sorted(found)}, expected {sorted(expected)}")
        for name in expected:
            same(found[name], expected[name], f"{where}.{name}")
    elif isinstance(found, list) and isinstance(expected, list):
        expect(len(found) == len(expected), f"{where}: {len(found)} members, expected {len(expected)}")
        for index, (one, other) in enumerate(zip(found, expected)):
            same(one, other, f"{where}[{index}]")
    else:
        expect(found == expected and isinstance(found, bool) == isinstance(expected, bool),
               f"{where}: {found!r}, expected {expected!r}")


@contextlib.contextmanager
def copy_of(log):
    with tempfile.TemporaryDirectory() as aside:
        shutil.copyfile(log / "data.mdb", f"{aside}/data.mdb")
        yield pathlib.Path(aside)


def expected_of(log):
    return json.loads((log / "expected.json").read_text(encoding="utf-8"))


# ---- The described layout ----

WORDS = {"UInt64": "u64", "Int64": "i64", "UInt32": "u32", "UInt16": "u16", "Bool": "bool", "Float64": "f64",
         "Data": "data", "Void": ""}


def compiled_layout(capnp):
    """record.capnp as lines of layout.txt."""
    text = subprocess.run([capnp, "compile", "-ocapnp", f"--src-prefix={SCHEMA.parent}", SCHEMA],
                          capture_output=True, check=True).stdout.decode()
    scopes, lines = [], {}
    kind_of = lambda kind, scope: ("list " + kind_of(kind[5:-1], scope)) if kind.startswith("List(") else (
        WORDS.get(kind, f"{scope}.{kind}" if kind in ("Unread", "Timer", "Activity") else kind))
    for line in map(str.strip, text.splitlines()):
        scope = ".".join(name for name in scopes if name[0].isupper())
        if found := re.match(r"struct (\w+) @\w+ \{  # (\d+) bytes, (\d+) ptrs", line):
            scopes.append(found[1])
            full = ".".join(name for name in scopes if name[0].isupper())
            lines[full] = [f"{full}: {int(found[2]) // 8} words, {found[3]} pointers"]
        elif found := re.match(r"union \{  # tag bits \[(\d+),", line):
            scopes.append("union")
            lines[scope].append(f"  union: tag u16 {found[1]}")
        elif found := re.match(r"(\w+) :group \{  # union tag = (\d+)", line):
            scopes.append("group")
            lines[scope].append(f"  {found[2]} {found[1]}:")
        elif found := re.match(r"(\w+) @\d+ :(\S+?)(?: = (\S+))?;  # (?:bits\[(\d+), \d+\)|ptr\[(\d+)\])"
                               r"(?:, union tag = (\d+))?", line):
            name, kind, default, bit, pointer, tag = found.groups()
            kind = kind_of(kind, scope)
            place = f" {kind} {'p' + pointer if pointer else bit}" if kind else ""
            indent = "    " if "group" in scopes else "  "
            lines[scope].append(indent + (f"{tag} " if tag else "") + name + place + (f" = {default}" if default else ""))
        elif line == "}":
            scopes.pop()
    return [line for of_struct in lines.values() for line in of_struct]


@case
def layout_txt_says_what_record_capnp_compiles_to(tools):
    described = [line for line in layout.LAYOUT.read_text(encoding="utf-8").splitlines()
                 if line and not line.startswith("#")]
    same(described, compiled_layout(tools["capnp"]), "layout.txt")


# ---- Each golden log, and one of today ----


def bodies(log):
    """(struct, body) of each value that is one."""
    directory = reader.Log(log)
    for _, raw in directory.framed("log_____", 32):
        yield "Record", raw[32:]
    for name, struct_name in reader.ROWS.items():
        for _, raw in directory.framed(name, 16):
            yield struct_name, raw[16:]
    for _, raw in directory.tables["dedup_runs______"]:
        yield "DedupRun", raw[16:]
    yield "LogState", dict(directory.tables["meta____"])[b"state___"][16:]


def as_capnp_json(layouts, name, value):
    """A value of layout.Reader as `capnp convert` prints it."""
    shown = {}
    of_struct = layouts[name]
    for member in of_struct.members:
        if value[member.name] is not None:
            shown[member.name] = capnp_member(layouts, member.kind, value[member.name])
    if of_struct.tag_bit is not None:
        _, only, group = next(one for one in of_struct.union.values() if one[0] == value["which"])
        content = value[value["which"]]
        if only is not None:
            shown[only.name] = None if content is None else capnp_member(layouts, only.kind, content)
        else:
            shown[value["which"]] = {member.name: capnp_member(layouts, member.kind, content[member.name])
                                     for member in group if content[member.name] is not None}
    return shown


def capnp_member(layouts, kind, value):
    if kind.startswith("list "):
        return [capnp_member(layouts, kind[5:], one) for one in value]
    if kind == "data":
        return list(value)
    if kind in ("u64", "i64"):
        return str(value)
    return as_capnp_json(layouts, kind, value) if kind in layouts else value


@case
def every_body_is_read_as_capnp_reads_it(tools):
    layouts = layout.records().layouts
    for log in tools["logs"]:
        by_struct = {}
        for name, body in bodies(log):
            by_struct.setdefault(name, []).append(body)
        expect(len(by_struct) == 7, f"bodies of {sorted(by_struct)}")
        for name, raws in by_struct.items():
            stream = b"".join(struct.pack("<II", 0, len(raw) // 8) + raw for raw in raws)
            printed = subprocess.run([tools["capnp"], "convert", "binary:json", SCHEMA, name], input=stream,
                                     capture_output=True, check=True).stdout.decode()
            decoder, at, messages = json.JSONDecoder(), 0, []
            while at < len(printed.rstrip()):
                message, at = decoder.raw_decode(printed, at)
                messages.append(message)
                at += len(printed[at:]) - len(printed[at:].lstrip())
            read = [as_capnp_json(layouts, name, layout.records().read(name, Message([raw]).root())) for raw in raws]
            same(read, messages, name)


@case
def bobbin_says_what_is_expected(tools):
    for log in LOGS:
        expected = expected_of(log)
        with copy_of(log) as directory:
            said = expectation(tools["bobbin"], directory)
        same(said["stats"], expected["stats"], "stats")
        same(said["ls"], expected["ls"], "ls")
        same(said["show"], expected["show"], "show")


@case
def bobbin_verify_is_ok(tools):
    for log in tools["logs"]:
        with copy_of(log) as directory:
            status, printed, complaint = bobbin(tools["bobbin"], directory, "verify")
        expect(status == 0 and printed.splitlines()[-1] == "ok", printed + complaint)


@case
def the_second_reader_agrees_with_bobbin(tools):
    for log in tools["logs"]:
        show = reader.Show(reader.Log(log))
        with copy_of(log) as directory:
            said = expectation(tools["bobbin"], directory)
        same(show.stats(), said["stats"], "stats")
        same(show.ls(), said["ls"], "ls")
        runs = 0
        for instance, shown in said["show"].items():
            for of_run in shown:
                run = of_run["records"][0]["run"] if of_run["records"] else None
                same(show.show(bytes.fromhex(instance), run), of_run, f"show {instance} {run}")
                runs += 1
        expect(runs >= 25, f"only {runs} runs were compared")


@case
def the_second_reader_reads_every_record_as_expected(_):
    for log in LOGS:
        show = reader.Show(reader.Log(log))
        same([show.record(one) for one in show.log.records.values()], expected_of(log)["records"], "records")


@case
def the_second_reader_as_a_program_prints_all_of_it(_):
    for log in LOGS:
        status, printed, complaint = run_reader(log)
        expect(status == 0 and not complaint, complaint)
        said = json.loads(printed)
        expected = expected_of(log)
        expect(len(said["records"]) == len(expected["records"]), "records are missing")
        same(said["stats"], expected["stats"], "stats")


def run_reader(directory):
    done = subprocess.run([sys.executable, HERE / "reader.py", directory], capture_output=True, check=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@case
def names_of_rows_that_a_purge_left_are_read_as_described(tools):
    def with_name_of(lsn):
        body = bytes(range(16)) + struct.pack("<Q", lsn)
        prefix, rest = b"ended___" + struct.pack(">Q", lsn), struct.pack("<II", len(body), 0) + body
        row = struct.pack("<Q", reader.checksum(rest, reader.checksum(prefix))) + rest
        return lambda _: [(prefix + struct.pack(">Q", 0), row)]

    for log in tools["logs"]:
        purged = reader.Log(log).gaps[0]["last"]
        with copy_of(log) as directory:
            change(directory, "holds___", with_name_of(purged))
            same(reader.Log(directory).leftovers, {bytes(range(16)): purged}, "leftovers")
            status, printed, _ = bobbin(tools["bobbin"], directory, "verify")
            expect(status == 0, printed)
        with copy_of(log) as directory:
            change(directory, "holds___", with_name_of(min(reader.Log(log).records)))
            expect("never purged" in complaint_of(directory), "a name of a row whose record is there went unnoticed")
            status, printed, _ = bobbin(tools["bobbin"], directory, "verify")
            expect(status == 1 and "but that is there" in printed, printed)


# ---- Damage ----


def change(directory, name, change_entries):
    """Changes a table by what `change_entries` returns for its entries: a list of (key, value or None to remove it)."""
    with lmdb.open(str(directory), max_dbs=16, create=False, map_size=64 << 20) as environment:
        database = environment.open_db(name.encode(), create=False)
        with environment.begin(database, write=True) as transaction:
            entries = [(bytes(key), bytes(value)) for key, value in transaction.cursor()]
            for key, value in change_entries(entries):
                if value is None:
                    transaction.delete(key)
                else:
                    transaction.put(key, value)


def complaint_of(directory):
    """What the reader says of a log; empty when it finds nothing."""
    try:
        reader.Log(directory)
        return ""
    except (Damaged, layout.UnsupportedFormat) as error:
        return str(error)


def flipped(raw, at):
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


@case
def a_flipped_byte_is_found_by_the_second_reader(tools):
    for log in tools["logs"]:
        tried = 0
        for name, entries in reader.Log(log).tables.items():
            entries = [(key, value) for key, value in entries if value]
            for number, (key, value) in enumerate(entries[:: max(len(entries) // 6, 1)]):
                at = (number * 37 + 5) % len(value)
                with copy_of(log) as directory:
                    change(directory, name, lambda _: [(key, flipped(value, at))])
                    expect(complaint_of(directory), f"byte {at} of {key.hex()} in {name} was flipped unnoticed")
                tried += 1
        expect(tried > 50, f"only {tried} bytes were flipped")


@case
def a_flipped_byte_in_the_file_is_found_by_the_second_reader_and_by_bobbin(tools):
    for log in tools["logs"]:
        with copy_of(log) as directory:
            raw = (directory / "data.mdb").read_bytes()
            at = raw.index(b"during the backoff")
            (directory / "data.mdb").write_bytes(flipped(raw, at))
            status, _, complaint = run_reader(directory)
            expect(status == 1 and "checksum" in complaint, complaint)
            lsn = re.search(r"record (\d+)", complaint)[1]
            status, printed, _ = bobbin(tools["bobbin"], directory, "verify")
            expect(status == 1 and f"record {lsn} " in printed, printed)


@case
def what_is_missing_is_found_by_the_second_reader(tools):
    for log in tools["logs"]:
        holes = {
            "a record": ("log_____", lambda entries: [(entries[len(entries) // 2][0], None)]),
            "the newest record of a gap": ("gaps____", lambda entries: [(entries[0][0], None)]),
            "a part": ("log_____", lambda entries: [next((key, None) for key, _ in entries if key[-1] == 1)]),
            "a due time": ("due_____", lambda entries: [(entries[0][0], None)]),
            "a chunk": ("dedup_chunks____", lambda entries: [(entries[-1][0], None)]),
            "a hold": ("holds___", lambda entries: [(entries[0][0], None)]),
            "a schema": ("schemas_", lambda entries: [(entries[0][0], None), (entries[1][0], None)]),
        }
        for what, (name, change_entries) in holes.items():
            with copy_of(log) as directory:
                change(directory, name, change_entries)
                expect(complaint_of(directory), f"{what} is gone unnoticed")


@case
def a_newer_format_is_refused_by_the_second_reader_and_by_bobbin(tools):
    def raised(entries):
        identity = dict(entries)[b"identity"]
        newer = identity[:8] + struct.pack("<I", struct.unpack_from("<I", identity, 8)[0] + 1) + identity[12:48]
        return [(b"identity", newer + struct.pack("<Q", xxhash.xxh64(newer).intdigest()))]

    for log in tools["logs"]:
        with copy_of(log) as directory:
            change(directory, "meta____", raised)
            status, printed, complaint = run_reader(directory)
            expect(status == 2 and "the log has format 2" in complaint and not printed, complaint)
            status, printed, complaint = bobbin(tools["bobbin"], directory, "stats")
            expect(status == 2 and "the log has format 2, this version of Bobbin reads 1 and older" in complaint
                   and not printed, complaint)


def main():
    expect(LOGS, "there is no golden log")
    with tempfile.TemporaryDirectory() as today:
        subprocess.run([sys.argv[3], today], check=True)
        return run_cases({"bobbin": sys.argv[1], "capnp": sys.argv[2], "logs": [*LOGS, pathlib.Path(today)]})


def run_cases(tools):
    failed = 0
    for one in CASES:
        said = io.StringIO()
        try:
            with contextlib.redirect_stdout(said):
                one(tools)
            print(f"ok      {one.__name__}")
        except Exception:  # whatever it is, it is this case's failure
            failed += 1
            print(f"FAILED  {one.__name__}\n{said.getvalue()}{traceback.format_exc()}")
    passed = len(CASES) - failed
    print(f"[golden] test cases: {len(CASES)} | {passed} passed | {failed} failed | 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
