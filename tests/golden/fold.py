"""The rows of a log with its tail folded over them, by storage/README.md ("Folding")."""

import copy

NO_TIME = 0
TIME_MAX, TIME_MIN = (1 << 63) - 1, -(1 << 63)
OUTCOME_STATUS = {1: 2, 2: 3, 3: 4}
RUNNING, FAILED = 1, 2
TO_MAILBOX, DEAD_LETTERED, DISCARDED = 2, 3, 4
REDRIVE, DISCARD, REDRIVE_SUCCEEDED, PURGE = 1, 2, 3, 5


def position(lsn, index):
    return (lsn, index)


def events_of(inputs):
    return [one["event"] for one in inputs if one["kind"] == "event"]


def empty_instance(instance_id):
    numbers = ("lsn", "run", "runSequence", "lastRecord", "endRecord", "startedAt", "beginsAt", "status", "runNumber",
               "failedInARow", "updatedAt", "updatedElapsed", "endedElapsed", "purgedThrough")
    state = dict.fromkeys(numbers, 0)
    state.update(dict.fromkeys(("begun", "tookEvent", "quarantined"), False))
    state.update({"id": instance_id, "orchestrator": b"", "key": b"", "error": None})
    state.update({"backlog": [], "unread": [], "timers": [], "activities": []})
    return state


class Fold:
    """instances by id and ledgers by orchestrator: rows that this takes over and changes."""

    def __init__(self, instances, ledgers, dead_letters):
        self.instances = copy.deepcopy(instances)
        self.ledgers = copy.deepcopy(ledgers)
        # By position, whether of an activity, and of which instance: all that is asked of a letter.
        self.letters = {at: (row["isActivity"], row["orchestrator"], row["key"]) for at, row in dead_letters.items()}
        self.opens = 0

    def fold(self, record):
        if record["instance"] == bytes(16):
            return
        state = self.instances.setdefault(record["instance"], empty_instance(record["instance"]))
        if state["lsn"] < record["lsn"]:
            state = self.instances[record["instance"]] = self.fold_instance(record, state)
            state["lsn"] = record["lsn"]
            state["updatedAt"], state["updatedElapsed"] = record["logTime"], record["elapsed"]
        self.fold_ledger(record, state["orchestrator"])

    # ---- Instances ----

    def fold_instance(self, record, state):
        if record["run"] and record["run"] == state["run"]:
            state["runSequence"], state["lastRecord"] = record["runSequence"], record["lsn"]
        kind, body = record["kind"], record["body"]
        if kind == "accepted":
            if not state["orchestrator"] and body["orchestrator"]:
                state["orchestrator"], state["key"] = body["orchestrator"], body["key"] or b""
            return self.take_in(record, state, body["inputs"], True)
        if kind == "turn":
            return self.fold_turn(record, state, body)
        if kind == "attempt":
            for activity in state["activities"]:
                if activity["ordinal"] == body["ordinal"]:
                    activity["failures"] += 1
                    activity["retryAt"] = body["retryAt"]
        elif kind == "expiry":
            gone = {position(one["lsn"], one["index"]) for one in body["positions"]}
            state["unread"] = [one for one in state["unread"] if position(one["lsn"], one["index"]) not in gone]
        elif kind == "quarantine":
            state["quarantined"] = not body["released"]
        elif kind == "operatorAct" and body["act"] == PURGE:
            unborn = empty_instance(record["instance"])
            unborn.update({name: state[name] for name in ("orchestrator", "key", "unread")})
            unborn["purgedThrough"] = record["lsn"]
            return unborn
        elif kind == "operatorAct" and not state["orchestrator"]:
            _, state["orchestrator"], state["key"] = self.letters[position(body["targetLsn"], body["targetIndex"])]
        return state

    def take_in(self, record, state, inputs, later):
        given = []
        for index, one in enumerate(inputs):
            if one["kind"] == "start":
                state = self.begin(record, one, state["purgedThrough"])
            elif one["kind"] == "event":
                state["unread"].append(self.unread(record, one, state))
            elif one["kind"] == "accepted":
                given.append(one["position"])
            elif one["kind"] == "timerFired":
                state["timers"] = [timer for timer in state["timers"] if timer["ordinal"] != one["ordinal"]]
            elif one["kind"] in ("activityCompleted", "activityFailed"):
                if one["kind"] == "activityFailed" and one["deadLetter"]:
                    self.letters[position(record["lsn"], index)] = (True, state["orchestrator"], state["key"])
                state["activities"] = [each for each in state["activities"] if each["ordinal"] != one["ordinal"]]
            if later and state["status"] == RUNNING:
                state["backlog"].append({"lsn": record["lsn"], "index": index})
        if given != [position(one["lsn"], one["index"]) for one in state["backlog"][: len(given)]]:
            raise ValueError(f"record {record['lsn']} is given other inputs than the backlog begins with")
        if given:
            state["backlog"] = state["backlog"][len(given) :]
        return state

    @staticmethod
    def begin(record, start, purged_through):
        state = empty_instance(record["instance"])
        state.update(orchestrator=start["orchestrator"], key=start["key"], status=RUNNING, run=record["lsn"],
                     runNumber=start["runNumber"], failedInARow=start["failedInARow"], runSequence=1,
                     lastRecord=record["lsn"], startedAt=record["logTime"], beginsAt=start["beginsAt"],
                     purgedThrough=purged_through)
        for event in start["carried"]:
            state["unread"].append({**event_row(event), "source": record["lsn"], "mailboxExpiresAt": 0})
        return state

    @staticmethod
    def unread(record, given, state):
        expires = 0 if state["status"] == RUNNING else given["mailboxExpiresAt"]
        return {**event_row(given["event"]), "source": record["lsn"], "mailboxExpiresAt": expires}

    def fold_turn(self, record, state, body):
        state = self.take_in(record, state, body["inputs"], False)
        state["begun"] = True
        taken = set()
        for index, one in enumerate(body["decisions"]):
            kind, ordinal = one["kind"], one["ordinal"]
            if kind == "activityScheduled":
                state["activities"].append({"ordinal": ordinal, "name": one["name"], "decisionLsn": record["lsn"],
                                            "decisionIndex": index, "failures": 0, "scheduledInOpen": self.opens,
                                            "scheduledAt": record["logTime"], "retryAt": NO_TIME})
            elif kind == "timerCreated":
                state["timers"].append({"ordinal": ordinal, "due": one["due"]})
            elif kind in ("activityCancelled", "timerCancelled"):
                what = "activities" if kind == "activityCancelled" else "timers"
                state[what] = [each for each in state[what] if each["ordinal"] != ordinal]
            elif kind == "eventTaken":
                taken.add(one["position"])
        if taken:
            state["tookEvent"] = True
            state["unread"] = [one for one in state["unread"] if position(one["lsn"], one["index"]) not in taken]
        if body["end"]:
            self.end(record, state, body["end"])
        return state

    def end(self, record, state, end):
        state["endRecord"], state["endedElapsed"] = record["lsn"], record["elapsed"]
        state["quarantined"], state["error"] = False, end["error"]
        state["failedInARow"] = state["failedInARow"] + 1 if end["outcome"] == FAILED else 0
        state["status"] = OUTCOME_STATUS[end["outcome"]]
        unread, state["unread"] = state["unread"], []
        state["backlog"], state["timers"], state["activities"] = [], [], []
        fates = end["unread"] or []
        if [position(one["lsn"], one["index"]) for one in unread] != [position(f["lsn"], f["index"]) for f in fates]:
            raise ValueError(f"record {record['lsn']} ends a run, but does not name its unread events in order")
        for event, fate in zip(unread, fates):
            if fate["fate"] == TO_MAILBOX:
                event.update(carryCount=fate["carryCount"], mailboxExpiresAt=fate["mailboxExpiresAt"])
                state["unread"].append(event)
            elif fate["fate"] == DEAD_LETTERED:
                self.letters[position(event["lsn"], event["index"])] = (False, state["orchestrator"], state["key"])

    # ---- Ledgers ----

    def fold_ledger(self, record, orchestrator):
        moves = self.moves(record)
        if not any(moves.values()):
            return
        numbers = ("lsn", "accepted", "consumed", "pending", "deadLettered", "expired", "discarded", "failedActivities")
        ledger = self.ledgers.setdefault(orchestrator, {"orchestrator": orchestrator, **dict.fromkeys(numbers, 0)})
        if ledger["lsn"] >= record["lsn"]:
            return
        ledger["lsn"] = record["lsn"]
        for name, count in moves.items():
            ledger[name] += count
        ledger["pending"] = ledger["accepted"] - sum(
            ledger[name] for name in ("consumed", "deadLettered", "expired", "discarded"))

    def moves(self, record):
        moves = dict.fromkeys(("accepted", "consumed", "deadLettered", "expired", "discarded", "failedActivities"), 0)
        body, kind = record["body"], record["kind"]
        for one in body["inputs"] if kind in ("accepted", "turn") else []:
            if one["kind"] == "event":
                moves["accepted"] += one["event"]["lsn"] == record["lsn"]
            elif one["kind"] == "activityFailed":
                moves["failedActivities"] += one["deadLetter"]
        if kind == "turn":
            moves["consumed"] = sum(one["kind"] == "eventTaken" for one in body["decisions"])
            for fate in (body["end"] or {}).get("unread") or []:
                moves["deadLettered"] += fate["fate"] == DEAD_LETTERED
                moves["discarded"] += fate["fate"] == DISCARDED
        elif kind == "expiry":
            moves["expired"] = len(body["positions"])
        elif kind == "operatorAct":
            if body["act"] == PURGE:
                return moves
            of_activity = self.letters[position(body["targetLsn"], body["targetIndex"])][0]
            if of_activity:
                moves["failedActivities"] -= body["act"] in (DISCARD, REDRIVE_SUCCEEDED)
            elif body["act"] == REDRIVE:
                moves["deadLettered"] -= 1
            elif body["act"] == DISCARD:
                moves["deadLettered"] -= 1
                moves["discarded"] += 1
        return moves


def event_row(event):
    names = ("lsn", "index", "acceptedAt", "carryCount", "withStart", "name")
    return {name: event[name] for name in names}


def next_due(state):
    """Micros; 0: at once; None: never."""
    times = []
    live = state["status"] == RUNNING
    if not live and state["unread"]:
        left = max(min(one["mailboxExpiresAt"] for one in state["unread"]) - state["updatedElapsed"], 0)
        times.append(min(max(state["updatedAt"] + left, TIME_MIN), TIME_MAX))
    if not live and state["purgedThrough"] and state["purgedThrough"] == state["lsn"]:
        return 0
    if live:
        if state["quarantined"]:
            return 0
        if not state["begun"]:
            times.append(state["beginsAt"])
        elif state["backlog"]:
            times.append(0)
        times += [timer["due"] for timer in state["timers"]]
        times += [activity["retryAt"] for activity in state["activities"]]
    return min(times) if times else None
