"""From moves to what a person reads: when, who, what, why, and what it changed.

Inside the explorer names are canonical: uids are renumbered and equal nodes exchanged after every step.  A timeline
undoes that: it gives each generated pod a name when it is made and follows it through every renaming, and so for nodes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kythera.model.api.encode import encode
from kythera.model.feed import Objects
from kythera.model.record import Record
from kythera.model.request import Ref
from kythera.model.system import CLOCK, Move, System

UNTOLD = ("uid", "resourceVersion", "generation", "managedFields", "creationTimestamp", "observedGeneration")
"""Fields whose changes are not worth a line."""


@dataclass(frozen=True, slots=True)
class Change:
    """A difference that a step made: to which object, what kind of change, and the fields as ``path: old -> new``."""

    object: str
    what: str
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a timeline; ``at`` in seconds since the start."""

    n: int
    at: int
    component: str
    action: str
    says: str
    why: str = ""
    changes: tuple[Change, ...] = ()


@dataclass(slots=True)
class Names:
    """What objects and nodes are called throughout a trace, by what they are called at present."""

    pods: dict[int, str] = field(default_factory=dict)
    nodes: dict[str, str] = field(default_factory=dict)
    made: dict[str, int] = field(default_factory=dict)

    def meet(self, objects: Iterable[Any]) -> None:
        """Give names to generated objects that have none yet."""
        for obj in objects:
            meta = obj.metadata
            if not meta.name and meta.uid not in self.pods:
                number = self.made[meta.generate_name] = self.made.get(meta.generate_name, 0) + 1
                self.pods[meta.uid] = f"{meta.generate_name}{number}"

    def of(self, obj: Any) -> str:
        """``Pod/web-1``."""
        meta = obj.metadata
        name = self.node(meta.name) if type(obj).__name__ == "Node" else meta.name or self.pods.get(meta.uid, "?")
        return f"{type(obj).__name__}/{name}"

    def node(self, canonical: str) -> str:
        """What a node is called."""
        return self.nodes.get(canonical, canonical)

    def text(self, text: str, generated: Mapping[int, str]) -> str:
        """A sentence with canonical names replaced; ``generated``: the generateName of each uid."""
        table = {f"{prefix}{uid}": self.pods[uid] for uid, prefix in generated.items() if uid in self.pods}
        table |= self.nodes
        if not table:
            return text
        words = sorted(map(re.escape, table), key=len, reverse=True)
        return re.sub(rf"(?<![\w.-])({'|'.join(words)})(?![\w-])", lambda m: table[m[1]], text)

    def follow(self, move: Move) -> None:
        """What everything is called after a step."""
        self.pods = {move.renaming.uid(uid): name for uid, name in self.pods.items()}
        if move.renaming.nodes:
            known = {**{n: n for n in move.renaming.nodes}, **self.nodes}
            self.nodes = {move.renaming.node(old): name for old, name in known.items()}


def timeline(system: System, moves: Sequence[Move]) -> list[Entry]:
    """The moves as entries, from the initial state on."""
    names = Names()
    row = system.initial
    stored = [(slot.kind, i) for i, slot in enumerate(system.slots) if slot.kind]
    at = 0
    for _, i in stored:
        names.meet(row[i])
    entries = []
    for n, move in enumerate(moves, 1):
        generated = _generated(row, stored) | _generated(move.raw, stored)
        changes: list[Change] = []
        for _, i in stored:
            names.meet(move.raw[i])
            changes += _changes(row[i], move.raw[i], names) if move.action.process != CLOCK else []
        at += move.seconds
        component = names.text(move.action.process, generated)
        says = _sentence(move, names)
        why = names.text(move.note, generated)
        entries.append(Entry(n, at, component, _action(move, names), says, why, tuple(changes)))
        names.follow(move)
        row = move.row
    return entries


def _generated(row: tuple[Any, ...], stored: Iterable[tuple[str, int]]) -> dict[int, str]:
    found = {}
    for _, i in stored:
        for obj in row[i]:
            meta = obj.metadata
            if not meta.name:
                found[meta.uid] = meta.generate_name
    return found


def _parameter(value: Any, names: Names) -> str:
    if isinstance(value, Ref):
        name = names.node(value.name) if value.kind == "Node" else value.name
        return f"{value.kind}/{name or names.pods.get(value.uid if value.uid is not None else -1, '?')}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(_parameter(each, names) for each in value)
    if isinstance(value, int):
        return names.pods.get(value, str(value))
    return names.node(value) if isinstance(value, str) else str(value)


def _action(move: Move, names: Names) -> str:
    given = ", ".join(
        f"{k}={_parameter(v, names)}"
        for k, v in move.action.parameters
        if not isinstance(v, Record) or isinstance(v, Ref)
    )
    process = "/".join(names.node(part) for part in move.action.process.split("/"))
    return f"{process}.{move.action.rule}({given})"


def _sentence(move: Move, names: Names) -> str:
    given = {k: str(v) if k == "seconds" else _parameter(v, names) for k, v in move.action.parameters}
    process = "/".join(names.node(part) for part in move.action.process.split("/"))
    text = move.says
    for key, value in {"process": process, **given}.items():
        text = text.replace(f"{{{key}}}", value)
    more = [v for k, v in given.items() if f"{{{k}}}" not in move.says and k != "key"]
    return f"{text} ({', '.join(more)})" if more else text


def _changes(before: Objects, after: Objects, names: Names) -> list[Change]:
    old = {names.of(obj): obj for obj in before}
    new = {names.of(obj): obj for obj in after}
    found = []
    for name in dict.fromkeys((*old, *new)):
        if name not in new:
            found.append(Change(name, "gone"))
        elif name not in old:
            found.append(Change(name, "created"))
        elif old[name] != new[name]:
            fields = tuple(_difference(encode(old[name]), encode(new[name]), ""))
            found.append(Change(name, "changed", tuple(names.text(each, {}) for each in fields)))
    return found


def _difference(old: Any, new: Any, path: str) -> Iterable[str]:
    """The leaves that differ, as ``path: old -> new``."""
    if old == new or path.rsplit(".", 1)[-1] in UNTOLD:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys((*old, *new)):
            yield from _difference(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
    elif isinstance(old, list) and isinstance(new, list):
        keyed_old, keyed_new = _keyed(old), _keyed(new)
        for key in dict.fromkeys((*keyed_old, *keyed_new)):
            yield from _difference(keyed_old.get(key), keyed_new.get(key), f"{path}[{key}]")
    else:
        yield f"{path}: {_short(old)} -> {_short(new)}"


def _keyed(items: list[Any]) -> dict[Any, Any]:
    """A list as a mapping by what tells its items apart."""
    for key in ("type", "name", "key", "uid"):
        if items and all(isinstance(item, dict) and key in item for item in items):
            return {item[key]: item for item in items}
    return dict(enumerate(items))


def _short(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        if set(value) >= {"type", "status"}:
            return f"{value['status']}"
        return "{" + ", ".join(str(key) for key in value) + "}"
    if isinstance(value, list):
        return f"[{', '.join(_short(each) for each in value)}]"
    return str(value)
