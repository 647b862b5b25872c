#!/usr/bin/python3
"""A second reader of Bobbin's log, format 1, written from storage/README.md with no code of Bobbin's.

Usage: reader.py DIRECTORY. Checks the identity, every frame, checksum, part, link and row of the log that lies there, then
prints all of it as one JSON object. Exits with 1 and says where, if something is not as it was written; with 2 if the log
is of a format that this reader does not know. It only reads, and takes no lock: not beside an engine that writes.
"""

import hashlib
import json
import pathlib
import struct
import sys

import lmdb
import xxhash

import fold
import layout
import payloads
from payloads import text_json, time_text
from wire import Damaged, Message

FORMAT = 1
PART = 1904
TABLES = ("meta____", "log_____", "instances_______", "due_____", "ledgers_", "dead_letters____", "schemas_",
          "dedup_chunks____", "dedup_runs______", "gaps____", "holds___")
LEFTOVERS = b"ended___"
# Which struct a table's rows are; their keys end with the number of a part.
ROWS = {"instances_______": "Instance", "ledgers_": "Ledger", "dead_letters____": "DeadLetter", "schemas_": "Schema"}

STATUS = ("none", "running", "completed", "failed", "terminated")
LETTER = ("?", "dead", "redriving", "redriven", "discarded")
OUTCOME = ("?", "completed", "failed", "terminated")
FATE = ("?", "successor", "mailbox", "dead_lettered", "discarded")
ACT = ("?", "redrive", "discard", "redrive_succeeded", "redrive_failed", "purge")
ERROR = ("none", "application", "cancelled", "timed_out", "invalid_argument", "not_found", "already_exists",
         "overloaded", "storage_full", "outcome_unknown", "closed", "locked", "corrupt", "unsupported_format",
         "terminated")
CODECS = 4
KIND = {"operatorAct": "operator_act", "clockStep": "clock_step"}


def checksum(raw, seed=0):
    return xxhash.xxh64(raw, seed=seed).intdigest()


def number(key, at=0):
    return struct.unpack_from(">Q", key, at)[0]


def id_of(low, high):
    return struct.pack("<QQ", low, high)


def sized(raw):
    return struct.pack("<I", len(raw)) + raw


def instance_id(orchestrator, key):
    return hashlib.blake2b(sized(orchestrator) + sized(key), digest_size=16).digest()


def at(where):
    return f"{where[0]}.{where[1]}"


def expect(holds, what):
    if not holds:
        raise Damaged(what)


def known(names, value, what):
    if value >= len(names):
        raise layout.UnsupportedFormat(f"{what} {value} is not known to this reader")
    return names[value]


class Log:
    """Everything in a log, checked: records by LSN, rows as dictionaries of layout.txt's members."""

    def __init__(self, directory):
        directory = pathlib.Path(directory)
        self.values = layout.records()
        environment = lmdb.open(str(directory), max_dbs=len(TABLES), readonly=True, lock=False, create=False)
        with environment, environment.begin(buffers=False) as transaction:
            self.tables = {}
            with transaction.cursor() as names:
                expect(sorted(bytes(name).decode() for name in names.iternext(values=False)) == sorted(TABLES),
                       "the tables are not those of a log")
            for name in TABLES:
                database = environment.open_db(name.encode(), transaction, create=False)
                with transaction.cursor(database) as cursor:
                    self.tables[name] = [(bytes(key), bytes(value)) for key, value in cursor]
            for name, entries in self.tables.items():
                for key, value in entries:
                    expect(len(key) % 8 == 0 and len(value) % 8 == 0, f"a size in {name} is no multiple of 8")
        self.identity = self.read_identity()
        self.gaps = self.read_gaps()
        self.records, self.checksums = {}, {}
        self.read_records()
        self.state = self.read_state()
        self.rows = {name: self.read_rows(name) for name in ROWS}
        self.instances = {id_of(row["id0"], row["id1"]): row for row in self.rows["instances_______"].values()}
        self.ledgers = {row["orchestrator"]: row for row in self.rows["ledgers_"].values()}
        self.dead_letters = {(row["positionLsn"], row["positionIndex"]): row
                             for row in self.rows["dead_letters____"].values()}
        self.schemas = {row["hash"]: row for row in self.rows["schemas_"].values()}
        self.dedup_runs = self.read_dedup()
        self.dropped = [number(key, 8) for key, _ in self.tables["meta____"] if key.startswith(b"dropped_")]
        self.check_runs()
        self.check_rows()
        self.leftovers = self.read_leftovers()
        self.check_holds()
        self.check_dedup()

    # ---- Frames and parts ----

    def framed(self, name, frame_size):
        """(key without the part's number, frame and body) of each value of a table of parts."""
        pending, prefix, size = None, b"", 0
        for key, value in self.tables[name]:
            part = number(key, len(key) - 8)
            if pending is None:
                expect(part == 0, f"{name}: part {part} of a value that does not begin")
                expect(len(value) >= frame_size, f"{name}: a value is shorter than its frame")
                prefix, pending = key[:-8], b""
                size = frame_size + struct.unpack_from("<I", value, 8)[0]
                expect(size % 8 == 0, f"{name}: a length is impossible")
            else:
                expect(key[:-8] == prefix and part * PART == len(pending), f"{name}: a part is missing")
            expect(len(value) == min(PART, size - len(pending)), f"{name}: a part has a wrong size")
            pending += value
            if len(pending) == size:
                yield prefix, pending
                pending = None
        expect(pending is None, f"{name}: the last part is missing")

    @staticmethod
    def open_row(key, raw):
        expect(len(raw) >= 16, "a row is shorter than its frame")
        stored, size, zero = struct.unpack_from("<QII", raw)
        expect(size == len(raw) - 16, "a row's length is not the one recorded")
        expect(stored == checksum(raw[8:], checksum(key)), f"the row {key.hex()} has another checksum")
        if zero:
            raise layout.UnsupportedFormat("a row has a newer frame")
        return raw[16:]

    def read(self, name, body):
        return self.values.read(name, Message([body]).root())

    def read_identity(self):
        found = dict(self.tables["meta____"]).get(b"identity")
        expect(found is not None and len(found) >= 56, "there is no identity")
        magic, version, order, log_id, epoch, stored = struct.unpack_from("<8sII16s16sQ", found)
        expect(magic == b"BOBBIN\r\n", "this is no log of Bobbin")
        expect(stored == checksum(found[:48]), "the identity has another checksum")
        expect(order == 0x01020304, "the log has another byte order")
        if version > FORMAT:
            raise layout.UnsupportedFormat(f"the log has format {version}, this reader knows {FORMAT}")
        return {"format": version, "log_id": log_id, "epoch": epoch}

    def read_state(self):
        found = dict(self.tables["meta____"]).get(b"state___")
        if found is None:
            return {"lsn": 0, "logTime": 0, "elapsed": 0, "epoch0": 0, "epoch1": 0, "foldFrom": 1, "opens": 0}
        return self.read("LogState", self.open_row(b"state___", found))

    def read_gaps(self):
        gaps = []
        for key, value in self.tables["gaps____"]:
            expect(len(key) == 8 and len(value) == 24, "an entry of the gaps has a wrong size")
            stored, last, last_checksum = struct.unpack("<QQQ", value)
            expect(stored == checksum(value[8:], checksum(key)), "an entry of the gaps has another checksum")
            gaps.append({"first": number(key), "last": last, "checksum": last_checksum})
        return gaps

    def read_rows(self, name):
        rows = {}
        for prefix, raw in self.framed(name, 16):
            rows[prefix] = self.read(ROWS[name], self.open_row(prefix, raw))
        return rows

    # ---- Records ----

    def read_records(self):
        last, last_checksum = 0, 0
        gaps = {gap["first"]: gap for gap in self.gaps}
        for prefix, raw in self.framed("log_____", 32):
            lsn = number(prefix)
            if lsn != last + 1:
                gap = gaps.pop(last + 1, None)
                expect(gap is not None and gap["last"] == lsn - 1, f"the records before {lsn} are missing")
                last_checksum = gap["checksum"]
            stored, size, zero, named, previous = struct.unpack_from("<QIIQQ", raw)
            expect(size == len(raw) - 32, f"record {lsn}: its length is not the one recorded")
            expect(stored == checksum(raw[8:]), f"record {lsn} has another checksum")
            if zero:
                raise layout.UnsupportedFormat(f"record {lsn} has a newer frame")
            expect(named == lsn, f"record {lsn} says that it is record {named}")
            expect(previous == last_checksum, f"record {lsn} names another checksum for the record before it")
            try:
                self.records[lsn] = self.record(lsn, self.read("Record", raw[32:]))
            except Damaged as damage:
                raise Damaged(f"record {lsn}: {damage}") from damage
            self.checksums[lsn] = stored
            last, last_checksum = lsn, stored
        expect(not gaps, "a purged stretch lies where records are")

    def record(self, lsn, stored):
        """As stored, with ids put together and the shorthands spelled out."""
        kind = stored["which"]
        body = stored[kind] or {}
        record = {name: stored[name] for name in ("run", "runSequence", "runPrevious", "logTime", "elapsed")}
        record.update(lsn=lsn, kind=kind, instance=id_of(stored["instance0"], stored["instance1"]), body=dict(body),
                      stored=stored)
        if kind in ("accepted", "turn"):
            record["body"]["inputs"] = [self.input(record, one) for one in body["inputs"] or []]
        if kind == "turn":
            record["body"]["decisions"] = [self.decision(lsn, one) for one in body["decisions"] or []]
        if kind == "expiry":
            record["body"]["positions"] = body["positions"] or []
        return record

    @staticmethod
    def input(record, stored):
        kind, ordinal = stored["which"], stored["number"]
        given = dict(stored[kind] or {})
        if kind == "start":
            given["carried"] = given["carried"] or []
        elif kind == "fresh":
            before = given.pop("before")
            event = {**given, "lsn": record["lsn"], "index": ordinal, "acceptedAt": record["logTime"] - before,
                     "carryCount": 0, "withStart": stored["flag"]}
            return {"kind": "event", "event": event, "mailboxExpiresAt": 0}
        elif kind == "accepted":
            given["position"] = (given.pop("lsn"), ordinal)
        elif kind == "activityFailed":
            given["deadLetter"] = stored["flag"]
        return {"kind": kind, "ordinal": ordinal, **given}

    @staticmethod
    def decision(lsn, stored):
        kind = stored["which"]
        made = {"kind": kind, "ordinal": stored["ordinal"], **(stored[kind] or {})}
        if kind == "taken":
            made.update(kind="eventTaken", position=(lsn, stored[kind]["index"]))
        elif kind == "takenAt":
            made.update(kind="eventTaken", position=(stored[kind]["lsn"], stored[kind]["index"]))
        return made

    # ---- What the parts say of each other ----

    def check_runs(self):
        newest, last_time, last_elapsed = {}, None, 0
        gone = lambda lsn: any(gap["first"] <= lsn <= gap["last"] for gap in self.gaps)
        for lsn, record in self.records.items():
            expect(last_time is None or record["logTime"] >= last_time, f"record {lsn}: log time goes back")
            expect(record["elapsed"] >= last_elapsed, f"record {lsn}: elapsed time goes back")
            last_time, last_elapsed = record["logTime"], record["elapsed"]
            starts = any(one["kind"] == "start" for one in record["body"].get("inputs", []))
            expect(starts == (record["run"] == lsn), f"record {lsn} starts a run, but is not of it, or the reverse")
            if record["run"] == 0:
                continue
            before = newest.get(record["run"], (0, 0) if starts else None)
            if before is None or gone(record["runPrevious"]):
                expect(gone(record["runPrevious"]), f"record {lsn} belongs to no run")
            else:
                expect((record["runPrevious"], record["runSequence"] - 1) == before, f"record {lsn} breaks its run")
            newest[record["run"]] = (lsn, record["runSequence"])

    def check_rows(self):
        last = max(self.records, default=0)
        entered = set()
        for prefix, row in self.rows["instances_______"].items():
            key = id_of(row["id0"], row["id1"])
            expect(prefix == key, "an instance's row lies under another id")
            expect(key == instance_id(row["orchestrator"] or b"", row["key"] or b""),
                   "an instance's id is not that of its name")
            if row["hasDue"]:
                entered.add(struct.pack(">Q", row["due"] + (1 << 63)) + key)
            for name in ("backlog", "unread", "timers", "activities"):
                row[name] = row[name] or []
            row["id"] = key
        for key, value in self.tables["due_____"]:
            expect(struct.unpack("<Q", value)[0] == checksum(key), "a due time has another checksum")
        expect(entered == {key for key, _ in self.tables["due_____"]}, "the due times are not those of the rows")
        for prefix, row in self.rows["ledgers_"].items():
            name = row["orchestrator"] or b""
            expect(prefix == name + bytes(-len(name) % 8) + struct.pack(">Q", len(name)), "a ledger's key is another's")
        for prefix, row in self.rows["dead_letters____"].items():
            expect(prefix == struct.pack(">QQ", row["positionLsn"], row["positionIndex"]), "a letter's key is another's")
        for prefix, row in self.rows["schemas_"].items():
            expect(number(prefix) == row["hash"], "a schema's key is another's")
            known(range(CODECS), row["codec"], "codec")
            text = f"{row['codec']} {row['typeId']} ".encode() + row["name"] + b"\n" + row["text"]
            expect(checksum(text) == row["hash"], "a schema's hash is not that of its content")
        for name in ("instances_______", "ledgers_", "dead_letters____"):
            for row in self.rows[name].values():
                expect(row["lsn"] <= last, "a row stands for a record that there is not")
        for record in self.records.values():
            if record["kind"] == "schema":
                expect(record["body"] == self.schemas.get(record["body"]["hash"]), "a schema record has no row")

    def read_leftovers(self):
        """{instance id: LSN of its row} of the rows that purges left."""
        lists, leftovers = {}, {}
        for key, value in self.tables["holds___"]:
            if key.startswith(LEFTOVERS):
                lists.setdefault(key[:-8], []).append((number(key, 16), value))
        for prefix, parts in lists.items():
            expect([part for part, _ in parts] == list(range(len(parts))), "a part of the leftovers is missing")
            body = self.open_row(prefix, b"".join(value for _, value in parts))
            expect(body and len(body) % 24 == 0, "the leftovers have a wrong size")
            leftovers.update(struct.iter_unpack("<16sQ", body))
        last = max(self.records, default=0)
        expect(all(lsn < last and lsn not in self.records for lsn in leftovers.values()),
               "a leftover row is of a record that was never purged")
        return leftovers

    def check_holds(self):
        holds = {}
        for key, value in self.tables["holds___"]:
            if key.startswith(LEFTOVERS):
                continue
            expect(len(key) == 24 and value in (b"holds___", b"settled_"), "an entry of the holds is none")
            holds.setdefault((number(key, 8), number(key, 16)), set()).add((number(key), value))
        for where, row in self.dead_letters.items():
            if row["state"] in (1, 2):
                needed = {row["sourceLsn"], row["run"]} if row["isActivity"] else {row["sourceLsn"]}
                expected = {(lsn, b"holds___") for lsn in needed}
                found = {one for one in holds.get(where, set()) if one[1] == b"holds___"}
                expect(all(lsn in self.records for lsn in needed), f"what dead letter {at(where)} needs is not there")
            else:
                expected, found = {(row["lsn"], b"settled_")}, holds.get(where, set())
            expect(found >= expected, f"dead letter {at(where)} does not hold what it needs")

    # ---- Dedup ids ----

    def read_dedup(self):
        runs = {}
        for key, value in self.tables["dedup_runs______"]:
            row = self.read("DedupRun", self.open_row(key, value))
            expect(number(key) == row["run"], "a dedup run's key is another's")
            runs[row["run"]] = {**row, "chunks": []}
        for key, value in self.tables["dedup_chunks____"]:
            body = self.open_row(key, value)
            expect(len(key) == 24 and body and len(body) % 48 == 0 and len(body) // 48 <= 39, "a chunk has a wrong size")
            entries = []
            for entry in struct.iter_unpack("<16sQQqII", body):
                names = ("hash", "lsn", "run", "acceptedAt", "index", "zero")
                entries.append(dict(zip(names, entry)))
                expect(entries[-1].pop("zero") == 0, "a dedup entry is of a newer kind")
            expect(entries[0]["hash"] == key[8:], "a chunk's key is not its first entry")
            if number(key) in runs:
                runs[number(key)]["chunks"].append(entries)
        for row in runs.values():
            hashes = [entry["hash"] for chunk in row["chunks"] for entry in chunk]
            expect(hashes == sorted(hashes), f"dedup run {row['run']} is not in order")
            expect(len(hashes) == row["entries"], f"dedup run {row['run']} has another number of entries")
        return runs

    def dedup_hash(self, instance, dedup_id):
        seed = struct.unpack_from("<Q", self.identity["log_id"])[0]
        return xxhash.xxh3_128(instance + dedup_id, seed=seed).digest()[::-1]

    def dedup_ids(self):
        """(LSN, instance, dedup id) of all that the records first accepted."""
        for lsn, record in self.records.items():
            body = record["body"]
            ids = [body.get("dedupId")]
            for one in body.get("inputs", []):
                is_first = one["kind"] != "event" or one["event"]["lsn"] == lsn
                ids.append(one.get("event", one).get("dedupId") if is_first else None)
            for dedup_id in filter(None, ids):
                yield lsn, record["instance"], dedup_id

    def check_dedup(self):
        """Each id that a stored run covers is in one: runs cover the log in order, up to their last record."""
        covered = sorted((row["lastLsn"], row["run"]) for row in self.dedup_runs.values())
        stored = {run: {entry["hash"] for chunk in row["chunks"] for entry in chunk}
                  for run, row in self.dedup_runs.items()}
        if not covered:
            return
        everything = set().union(*stored.values())
        first = min(entry["lsn"] for row in self.dedup_runs.values() for chunk in row["chunks"] for entry in chunk)
        for lsn, instance, dedup_id in self.dedup_ids():
            if first <= lsn <= covered[-1][0]:
                expect(self.dedup_hash(instance, dedup_id) in everything, f"the dedup id of record {lsn} is forgotten")

    # ---- The state now ----

    def folded(self):
        folded = fold.Fold(self.instances, self.ledgers, self.dead_letters)
        state = {"epoch": id_of(self.state["epoch0"], self.state["epoch1"]), "opens": self.state["opens"]}
        state.update({name: self.state[name] for name in ("lsn", "logTime", "elapsed")})
        for lsn, record in self.records.items():
            if lsn < self.state["foldFrom"]:
                continue
            if lsn > state["lsn"]:
                state.update(lsn=lsn, logTime=record["logTime"], elapsed=record["elapsed"])
                if record["kind"] == "opened":
                    state["opens"] += 1
                    state["epoch"] = id_of(record["body"]["epoch0"], record["body"]["epoch1"])
            folded.opens = state["opens"]
            folded.fold(record)
        return folded, state


# ---- As `bobbin --json` says it ----


class Show:
    def __init__(self, log):
        self.log = log
        self.payloads = payloads.Decoder(log.schemas)
        self.folded, self.state = log.folded()

    def ls(self):
        return [self.instance(state) for _, state in sorted(self.folded.instances.items())]

    def show(self, instance, run=None):
        state = self.folded.instances[instance]
        run = run or state["run"]
        records = [record for record in self.log.records.values() if record["instance"] == instance and run
                   and record["run"] == run]
        return {"instance": self.instance(state), "records": [self.record(one) for one in records]}

    def stats(self):
        log, by_status, letters = self.log, {}, {}
        for state in self.folded.instances.values():
            status = self.status(state)
            by_status[status] = by_status.get(status, 0) + 1
        for row in log.dead_letters.values():
            letters[known(LETTER, row["state"], "state")] = letters.get(known(LETTER, row["state"], "state"), 0) + 1
        return {"log_id": log.identity["log_id"].hex(), "epoch": self.state["epoch"].hex(),
                "first_lsn": min(log.records, default=1), "last_lsn": max(log.records, default=0),
                "fold_from": log.state["foldFrom"], "opens": self.state["opens"],
                "log_time": time_text(self.state["logTime"]), "elapsed_us": self.state["elapsed"],
                "instances": by_status, "dead_letters": letters,
                "ledgers": [self.ledger(row) for _, row in sorted(self.folded.ledgers.items())]}

    @staticmethod
    def ledger(row):
        settled = sum(row[name] for name in ("consumed", "pending", "deadLettered", "expired", "discarded"))
        return {"orchestrator": row["orchestrator"].decode(), "accepted": row["accepted"], "consumed": row["consumed"],
                "pending": row["pending"], "dead_lettered": row["deadLettered"], "expired": row["expired"],
                "discarded": row["discarded"], "failed_activities": row["failedActivities"],
                "balanced": row["accepted"] == settled}

    @staticmethod
    def status(state):
        return "quarantined" if state["quarantined"] else known(STATUS, state["status"], "status")

    def instance(self, state):
        value = {"id": state["id"].hex(), "orchestrator": (state["orchestrator"] or b"").decode(),
                 "key": text_json(state["key"]), "status": self.status(state), "run": state["run"],
                 "run_number": state["runNumber"], "records": state["runSequence"],
                 "started_at": time_text(state["startedAt"]), "unread": len(state["unread"]),
                 "timers": len(state["timers"]), "activities": len(state["activities"])}
        due = fold.next_due(state)
        if due is not None:
            value["next_due"] = "now" if due == 0 else time_text(due)
        if state["error"] and state["error"]["code"]:
            value["error"] = self.error(state["error"])
        return value

    @staticmethod
    def error(error):
        error = error or {"code": 0, "type": None, "message": None}
        value = {"code": known(ERROR, error["code"], "error")}
        if error["type"]:
            value["type"] = error["type"].decode()
        return {**value, "message": (error["message"] or b"").decode()}

    def record(self, record):
        kind = record["kind"]
        value = {"lsn": record["lsn"], "kind": KIND.get(kind, kind), "log_time": time_text(record["logTime"])}
        if record["run"]:
            value.update(run=record["run"], run_sequence=record["runSequence"], run_previous=record["runPrevious"])
        return {**value, **getattr(self, "of_" + kind)(record, record["body"])}

    def of_opened(self, _, body):
        return {"epoch": id_of(body["epoch0"], body["epoch1"]).hex(), "wall_time": time_text(body["wallTime"]),
                "opener": body["opener"].decode()}

    def of_accepted(self, record, body):
        return {"inputs": [self.input(record, one) for one in body["inputs"]]}

    def of_turn(self, record, body):
        value = {**self.of_accepted(record, body), "decisions": [self.decision(one) for one in body["decisions"]]}
        if body["end"]:
            value["end"] = self.end(body["end"])
        return value

    def of_attempt(self, _, body):
        return {"ordinal": body["ordinal"], "attempt": body["attempt"], "error": self.error(body["error"]),
                "retry_at": time_text(body["retryAt"])}

    def of_operatorAct(self, _, body):
        value = {"act": known(ACT, body["act"], "act"), "target": at((body["targetLsn"], body["targetIndex"]))}
        if body["result"]:
            value["result"] = self.payloads.json(body["result"])
        if body["error"]:
            value["error"] = self.error(body["error"])
        for name, shown in (("note", "note"), ("dedupId", "dedup_id")):
            if body[name]:
                value[shown] = body[name].decode()
        return value

    def of_expiry(self, _, body):
        return {"positions": [at((one["lsn"], one["index"])) for one in body["positions"]]}

    def of_clockStep(self, _, body):
        return {"from": time_text(body["from"]), "to": time_text(body["to"])}

    def of_schema(self, _, body):
        return {"name": body["name"].decode(), "schema_hash": body["hash"], "type_id": body["typeId"]}

    def of_quarantine(self, _, body):
        if body["released"]:
            return {"released": True}
        return {"released": False, "turn": body["turn"], "expected": body["expected"].decode(),
                "found": body["found"].decode()}

    def of_remembered(self, _, body):
        return {"dedup_id": body["dedupId"].decode(), "run": body["run"], "position": at((body["lsn"], body["index"])),
                "accepted_at": time_text(body["acceptedAt"])}

    def event(self, event):
        value = {"kind": "event", "name": event["name"].decode(), "position": at((event["lsn"], event["index"])),
                 "accepted_at": time_text(event["acceptedAt"])}
        if event["dedupId"]:
            value["dedup_id"] = event["dedupId"].decode()
        if event["carryCount"]:
            value["carry_count"] = event["carryCount"]
        value["value"] = self.payloads.json(event["value"])
        if event["withStart"]:
            value["start_input"] = self.payloads.json(event["startInput"])
        return value

    def start(self, record, start):
        value = {"kind": "start", "orchestrator": start["orchestrator"].decode(), "key": text_json(start["key"]),
                 "run_number": start["runNumber"], "input": self.payloads.json(start["input"])}
        if start["predecessor"]:
            value["predecessor"] = start["predecessor"]
        if start["failedInARow"]:
            value["failed_in_a_row"] = start["failedInARow"]
        if start["beginsAt"] > record["logTime"]:
            value["begins_at"] = time_text(start["beginsAt"])
        if start["carried"]:
            value["carried"] = [self.event(one) for one in start["carried"]]
        return value

    def input(self, record, given):
        kind, ordinal = given["kind"], given.get("ordinal")
        if kind == "start":
            return self.start(record, given)
        if kind == "event":
            return self.event(given["event"])
        if kind == "accepted":
            return {"kind": kind, "position": at(given["position"])}
        if kind == "timerFired":
            return {"kind": "timer_fired", "ordinal": ordinal}
        if kind == "activityCompleted":
            return {"kind": "activity_completed", "ordinal": ordinal, "attempt": given["attempt"],
                    "result": self.payloads.json(given["result"])}
        if kind == "activityFailed":
            return {"kind": "activity_failed", "ordinal": ordinal, "attempt": given["attempt"],
                    "error": self.error(given["error"]), "dead_letter": given["deadLetter"]}
        return {"kind": kind, "reason": (given["reason"] or b"").decode()}

    def decision(self, made):
        kind, value = made["kind"], {"ordinal": made["ordinal"]}
        if kind == "activityScheduled":
            return {"kind": "activity", **value, "name": made["name"].decode(),
                    "input": self.payloads.json(made["input"])}
        if kind == "timerCreated":
            return {"kind": "timer", **value, "due": time_text(made["due"])}
        if kind == "eventTaken":
            return {"kind": "event_taken", **value, "position": at(made["position"])}
        if kind == "waitCancelled":
            return {"kind": "wait_cancelled", **value, "name": (made["name"] or b"").decode()}
        return {"kind": {"timerCancelled": "timer_cancelled", "activityCancelled": "activity_cancelled"}[kind], **value}

    def end(self, end):
        value = {"outcome": known(OUTCOME, end["outcome"], "outcome")}
        if end["result"]:
            value["result"] = self.payloads.json(end["result"])
        if end["error"] and end["error"]["code"]:
            value["error"] = self.error(end["error"])
        if end["unread"]:
            value["unread"] = [{"position": at((one["lsn"], one["index"])), "fate": known(FATE, one["fate"], "fate"),
                                "carry_count": one["carryCount"]} for one in end["unread"]]
        return value


def plain(value):
    """Everything as it stands, for JSON: bytes as text or {"hex": ...}."""
    if isinstance(value, (bytes, bytearray)):
        return text_json(value)
    if isinstance(value, dict):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return value


def everything(log):
    show = Show(log)
    tables = {ROWS[name]: list(rows.values()) for name, rows in log.rows.items()}
    return {"identity": plain(log.identity), "state": log.state, "stats": show.stats(), "instances": show.ls(),
            "records": [{**show.record(record), "stored": plain(record["stored"])} for record in log.records.values()],
            "rows": plain(tables), "gaps": log.gaps, "dedup_runs": plain(list(log.dedup_runs.values()))}


def main():
    try:
        print(json.dumps(everything(Log(sys.argv[1])), indent=1))
        return 0
    except layout.UnsupportedFormat as error:
        print(f"reader: {error}", file=sys.stderr)
        return 2
    except (Damaged, lmdb.Error, ValueError, KeyError, IndexError, TypeError, struct.error) as error:
        print(f"reader: {type(error).__name__}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
