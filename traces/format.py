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
STALENESS = ("none", "lag", "timeTravel")
MOST_FAULTS = 1000
LONGEST = 60


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
    except (ValueError, TypeError, RecursionError):
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
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        raise NotATrace(f"{path}: cannot be read: {error}") from error
    except json.JSONDecodeError as error:
        raise NotATrace(f"{path}:{error.lineno}: not JSON: {error.msg}") from error
    except ValueError as error:
        raise NotATrace(f"{path}: not JSON: {error}") from error
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        found = data.get("format") if isinstance(data, dict) else type(data).__name__
        raise NotATrace(
            f"{path}: format: found {_shown(found)}, expected {FORMAT!r} (a file that `kythera check` wrote)"
        )
    try:
        return _trace(data)
    except _Malformed as error:
        raise NotATrace(f"{path}: {error}") from None


class _Malformed(Exception):
    """A field is not as it should be."""


def _trace(data: Mapping[str, Any]) -> Trace:
    """The trace in plain data, every field looked at."""
    steps = []
    for n, _ in enumerate(_field(data, "steps", list, "a list")):
        step = _item(data["steps"], n, "steps")
        where = f"steps[{n}]."
        steps.append(TraceStep(_text(step, "action", where), _texts(step, "slots", where)))
    documents = _field(data, "documents", list, "a list")
    for n, _ in enumerate(documents):
        _item(documents, n, "documents")
    return Trace(
        _text(data, "kythera"), documents, _rung(_field(data, "rung", dict, "an object")), _text(data, "property"),
        _text(data, "says"), _text(data, "message"), _texts(data, "initial"), steps, _loop_from(data, len(steps)),
    )  # fmt: skip


def _rung(data: Mapping[str, Any]) -> Rung:
    granularity, time = _text(data, "granularity", "rung."), _text(data, "time", "rung.")
    for field, value, known in (("granularity", granularity, (COARSE, FINE)), ("time", time, (PROMPT, ADVERSARIAL))):
        if value not in known:
            raise _Malformed(f"rung.{field}: found {_shown(value)}, expected {' or '.join(known)}")
    given = _field(data, "faults", dict, "an object", "rung.")
    for name, value in given.items():
        where = f"rung.faults.{name}"
        if name not in Faults.__record_fields__:
            raise _Malformed(f"{where}: this version knows no such fault")
        if name == "staleness":
            if value not in STALENESS:
                raise _Malformed(f"{where}: found {_shown(value)}, expected one of {', '.join(STALENESS)}")
        elif not _is_whole(value) or not 0 <= value <= MOST_FAULTS:
            raise _Malformed(f"{where}: found {_shown(value)}, expected a whole number from 0 to {MOST_FAULTS}")
    return Rung(granularity, Faults(**given), time)


def _loop_from(data: Mapping[str, Any], steps: int) -> int | None:
    """The number of a step, or ``None``."""
    _present(data, "loop_from", "")
    value = data["loop_from"]
    if value is not None and (not _is_whole(value) or not 0 <= value <= steps):
        what = f"null or the number of a step, from 0 to {steps}"
        raise _Malformed(f"loop_from: found {_shown(value)}, expected {what}")
    return None if value is None else int(value)


def _present(data: Mapping[str, Any], field: str, within: str) -> None:
    if field not in data:
        raise _Malformed(f"incomplete: it has no {within}{field}")


def _field(data: Mapping[str, Any], field: str, kind: type, what: str, within: str = "") -> Any:
    _present(data, field, within)
    if not isinstance(data[field], kind):
        raise _Malformed(f"{within}{field}: found {_shown(data[field])}, expected {what}")
    return data[field]


def _text(data: Mapping[str, Any], field: str, within: str = "") -> str:
    text: str = _field(data, field, str, "text", within)
    if not _is_text(text):
        raise _Malformed(f"{within}{field}: it holds half a character (a surrogate)")
    return text


def _texts(data: Mapping[str, Any], field: str, within: str = "") -> dict[str, str]:
    """An object whose values are texts: fingerprints of slots by their names."""
    found: dict[str, str] = _field(data, field, dict, "an object", within)
    for name in found:
        if not _is_text(name):
            raise _Malformed(f"{within}{field}: a name in it holds half a character (a surrogate)")
        _text(found, name, f"{within}{field}.")
    return found


def _item(items: Sequence[Any], n: int, field: str) -> dict[str, Any]:
    if not isinstance(items[n], dict):
        raise _Malformed(f"{field}[{n}]: found {_shown(items[n])}, expected an object")
    found: dict[str, Any] = items[n]
    return found


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_text(text: str) -> bool:
    """Whether a text can be printed: JSON may hold halves of surrogate pairs."""
    return text.isascii() or not any("\ud800" <= each <= "\udfff" for each in text)


def _shown(value: object) -> str:
    """What was found, in one short line."""
    text = {dict: "an object", list: "a list", type(None): "null"}.get(type(value)) or ascii(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."
