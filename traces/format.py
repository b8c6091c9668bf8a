"""The trace file: everything that is needed to run a counterexample again, and to notice where a later model differs.

A JSON document: the input documents, the rung, the property and what it says, and each step with its action and the
fingerprints of the slots that it changed.  Fingerprints are of values, so that the step and the slot can be named.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kythera.model.host import COARSE, FINE
from kythera.model.normalise import fingerprint
from kythera.model.record import Record
from kythera.model.request import Ref
from kythera.model.scenarios.scenario import Faults, Rung
from kythera.model.system import ADVERSARIAL, PROMPT, Move, System

FORMAT = "kythera-trace/1"


class NotATrace(Exception):
    """The file is no trace, or one of a format that this version cannot read; the text says which."""


@dataclass(frozen=True, slots=True)
class TraceStep:
    """A step: the action as text, and the fingerprints of the slots that it changed."""

    action: str
    slots: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Trace:
    """A counterexample as a file."""

    version: str
    documents: Sequence[Mapping[str, Any]]
    rung: Rung
    property: str
    says: str
    message: str
    initial: Mapping[str, str]
    steps: Sequence[TraceStep]
    loop_from: int | None


def action_text(move: Move) -> str:
    """An action with its canonical parameters: what tells the moves out of a state apart."""
    return json.dumps(
        [move.action.process, move.action.rule, [[k, _plain(v)] for k, v in move.action.parameters]], sort_keys=True
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Ref):
        return f"{value.kind}/{value.namespace}/{value.name or value.uid}"
    if isinstance(value, Record):
        return f"{fingerprint(value):016x}"
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def readable(action: str) -> str:
    """The text of an action as people write it: ``kube-scheduler.work(key=Pod/default/web, node=n1)``."""
    try:
        process, rule, parameters = json.loads(action)
        return f"{process}.{rule}({', '.join(f'{name}={value}' for name, value in parameters)})"
    except (ValueError, TypeError):
        return action


def fingerprints(system: System, row: Sequence[Any]) -> dict[str, str]:
    """The fingerprint of each slot's value."""
    return {slot.name: f"{fingerprint(value):016x}" for slot, value in zip(system.slots, row, strict=True)}


def steps_of(system: System, moves: Sequence[Move]) -> tuple[Mapping[str, str], list[TraceStep]]:
    """The fingerprints of the first state, and the moves as steps of a trace."""
    before = first = fingerprints(system, system.initial)
    steps = []
    for move in moves:
        after = fingerprints(system, move.row)
        steps.append(TraceStep(action_text(move), {k: v for k, v in after.items() if before[k] != v}))
        before = after
    return first, steps


def save(trace: Trace, path: Path) -> None:
    """Write a trace."""
    data = {
        "format": FORMAT,
        "kythera": trace.version,
        "property": trace.property,
        "says": trace.says,
        "message": trace.message,
        "rung": {
            "granularity": trace.rung.granularity,
            "time": trace.rung.time,
            "faults": faults_of(trace.rung.faults),
        },
        "loop_from": trace.loop_from,
        "documents": list(trace.documents),
        "initial": dict(trace.initial),
        "steps": [{"action": step.action, "slots": dict(step.slots)} for step in trace.steps],
    }
    path.write_text(json.dumps(data, indent=1, default=str) + "\n", encoding="utf-8")


def faults_of(faults: Faults) -> dict[str, Any]:
    """Faults as plain data."""
    return {name: getattr(faults, name) for name in faults.__record_fields__}


def load(path: Path) -> Trace:
    """Read a trace; ``NotATrace`` says what is wrong with it."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise NotATrace(f"{path}: cannot be read: {error}") from error
    except json.JSONDecodeError as error:
        raise NotATrace(f"{path}:{error.lineno}: not JSON: {error.msg}") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        found = data.get("format") if isinstance(data, dict) else type(data).__name__
        raise NotATrace(f"{path}: format: found {found!r}, expected {FORMAT!r} (a file that `kythera check` wrote)")
    try:
        if data["rung"]["granularity"] not in (COARSE, FINE) or data["rung"]["time"] not in (PROMPT, ADVERSARIAL):
            raise NotATrace(f"{path}: rung: found {data['rung']}, which this version does not know")
        rung = Rung(data["rung"]["granularity"], Faults(**data["rung"]["faults"]), data["rung"]["time"])
        steps = [TraceStep(step["action"], step["slots"]) for step in data["steps"]]
        return Trace(
            data["kythera"], data["documents"], rung, data["property"], data["says"], data["message"],
            data["initial"], steps, data["loop_from"],
        )  # fmt: skip
    except KeyError as error:
        raise NotATrace(f"{path}: incomplete: it has no {error.args[0]}") from error
    except TypeError as error:
        raise NotATrace(f"{path}: malformed: {error}") from error
