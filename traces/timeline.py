"""From moves to what a person reads: when, who, what, why, and what it changed.

Inside the explorer names are canonical: uids are renumbered and equal nodes exchanged after every step.  A timeline
undoes that: it gives each generated pod a name when it is made and follows it through every renaming, and so for nodes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kythera.model.api.core.pod import Pod
from kythera.model.api.pods import condition
from kythera.model.record import Record
from kythera.model.request import Ref
from kythera.model.rule import Action, Wake
from kythera.model.scenarios.scenario import Event
from kythera.model.system import CLOCK, Move, System
from kythera.traces.addresses import cluster_wide
from kythera.traces.changes import Change, changes

SUBJECT = re.compile(r"^(\{process\}:? |a user does: |)")
"""How the sentence of a rule may begin: what the column of the component says already."""


ONE = re.compile(r"(?<![\w./-])(?<!of )1 ((?:[a-z]+ )?(?:pod|node|replica|step|container))s\b( are| have| run| ask)?")
UIDS = ("pod", "pods")
"""Parameters of actions whose numbers are uids."""

VERBS = {" are": " is", " have": " has", " run": " runs", " ask": " asks"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a timeline.

    ``at``: seconds since the start.  ``action`` is the step in the model's words, ``says`` in a person's: ``does``
    without its subject.
    """

    n: int
    at: int
    component: str
    action: str
    says: str
    does: str
    why: str = ""
    changes: tuple[Change, ...] = ()


@dataclass(slots=True)
class Names:
    """What objects and nodes are called throughout a trace, by what they are called at present."""

    objects: dict[int, str] = field(default_factory=dict)
    nodes: dict[str, str] = field(default_factory=dict)
    made: dict[str, int] = field(default_factory=dict)

    def meet(self, objects: Iterable[Any]) -> None:
        """Note what objects are called, and give names to generated ones that have none yet."""
        for obj in objects:
            meta = obj.metadata
            if meta.name:
                self.objects[meta.uid] = meta.name
            elif meta.uid not in self.objects:
                number = self.made[meta.generate_name] = self.made.get(meta.generate_name, 0) + 1
                self.objects[meta.uid] = f"{meta.generate_name}{number}"

    def of(self, obj: Any) -> str:
        """``Pod/web-1``; with the namespace where it is not the default one."""
        meta = obj.metadata
        kind = type(obj).__name__
        name = self.node(meta.name) if kind == "Node" else meta.name or self.objects.get(meta.uid, "?")
        return f"{kind}/{name}" if meta.namespace in ("", "default") else f"{kind}/{meta.namespace}/{name}"

    def node(self, canonical: str) -> str:
        """What a node is called."""
        return self.nodes.get(canonical, canonical)

    def process(self, name: str) -> str:
        """What a process is called: ``kubelet/n1``."""
        return "/".join(self.node(part) for part in name.split("/"))

    def parameter(self, key: str, value: Any) -> str:
        """A parameter of an action as people write it; which ones are uids is told by what they are called."""
        if isinstance(value, Ref):
            if not value.name and value.uid is None:
                return f"all {value.kind}s"
            name = self.node(value.name) if value.kind == "Node" else value.name
            name = name or self.objects.get(-1 if value.uid is None else value.uid, "?")
            within = "" if value.namespace in ("", "default") else f"{value.namespace}/"
            return f"{value.kind}/{within}{name}"
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, tuple):
            return ", ".join(self.parameter(key, each) for each in value)
        if isinstance(value, int) and key in UIDS:
            return self.objects.get(value, str(value))
        return self.node(value) if isinstance(value, str) else str(value)

    def text(self, text: str, generated: Mapping[int, str]) -> str:
        """A sentence with canonical names replaced; ``generated``: the generateName of each uid."""
        table = {f"{prefix}{uid}": self.objects[uid] for uid, prefix in generated.items() if uid in self.objects}
        table |= self.nodes
        if not table:
            return text
        words = sorted(map(re.escape, table), key=len, reverse=True)
        return re.sub(rf"(?<![\w.-])({'|'.join(words)})(?![\w-])", lambda m: table[m[1]], text)

    def follow(self, move: Move) -> None:
        """What everything is called after a step."""
        self.objects = {move.renaming.uid(uid): name for uid, name in self.objects.items()}
        if move.renaming.nodes:
            known = {**{n: n for n in move.renaming.nodes}, **self.nodes}
            self.nodes = {move.renaming.node(old): name for old, name in known.items()}


class Timeline:
    """The moves of a run as entries; and any sentence about it in the same names."""

    def __init__(self, system: System, moves: Sequence[Move]) -> None:
        self.system = system
        self.moves = moves
        self.stored = [i for i, slot in enumerate(system.slots) if slot.kind]
        self.numbers = {name: n for n, name in enumerate(system.description["nodes"], 1)}
        self.events = {event.name: event for event in _plan(system)}
        self.rows = [system.initial, *(move.row for move in moves)]
        self.names: list[Names] = []
        self.entries: list[Entry] = []
        names, at = Names(), 0
        for i in self.stored:
            names.meet(system.initial[i])
        for n, move in enumerate(moves, 1):
            for i in self.stored:
                names.meet(move.raw[i])
            self.names.append(Names(dict(names.objects), dict(names.nodes)))
            at += move.seconds
            self.entries.append(self._entry(n, at, move, names))
            names.follow(move)
        self.names.append(names)

    def say(self, text: str, after: int) -> str:
        """A sentence about the state after so many moves, or about the next move, in the names of this timeline."""
        return agreeing(self.names[after].text(text, self._generated(after)))

    def in_vain(self) -> list[str]:
        """What keeps the last state as it is: what is tried there and has no effect, and why pods have no node."""
        row, names, last = self.rows[-1], self.names[-1], len(self.moves)
        found: list[str] = []
        for process in self.system.processes:
            for rule, result in process.outcomes(process.rules, lambda name: row[self.system.index[name]]):
                if isinstance(result, Wake) or not result.note or self.system.written(row, process, result)[0] != row:
                    continue
                action = Action(process.name, rule.name, result.parameters)
                move = Move(action, rule.actor, row, row, note=result.note, says=rule.says)
                entry = self._entry(last + 1, 0, move, names)
                found.append(f"tried in vain: {entry.says}: {entry.why}")
        for i in self.stored:
            for pod in row[i]:
                if isinstance(pod, Pod) and pod.spec.node_name is None:
                    scheduled = condition(pod.status.conditions, "PodScheduled")
                    if scheduled is not None and scheduled.status == "False":
                        found.append(f"{names.of(pod)} waits for a node: {self.say(scheduled.message, last)}")
        return list(dict.fromkeys(found))

    def _generated(self, after: int) -> dict[int, str]:
        """The generateName of each nameless object there is after so many moves, or that the next move makes."""
        rows = [self.rows[after], *(move.raw for move in self.moves[after : after + 1])]
        metas = (obj.metadata for row in rows for i in self.stored for obj in row[i])
        return {meta.uid: meta.generate_name for meta in metas if not meta.name}

    def _entry(self, n: int, at: int, move: Move, names: Names) -> Entry:
        component = names.process(move.action.process)
        why = agreeing(self.names[n - 1].text(move.note, self._generated(n - 1)))
        node = dict(move.action.parameters).get("node", "")
        why = cluster_wide(why, self.numbers.get(names.node(node), 0)) if isinstance(node, str) else why
        subject = move.says[: len(move.says) - len(SUBJECT.sub("", move.says))]
        does, why = self._words(move, names, component, why)
        before, after = self.rows[n - 1], move.raw
        found: list[Change] = []
        if move.action.process != CLOCK:
            for i in self.stored:
                if before[i] != after[i]:
                    found += changes(before[i], after[i], names.of, lambda node: self.numbers.get(names.node(node), 0))
        told = tuple(Change(c.object, c.what, tuple(names.text(f, {}) for f in c.fields)) for c in found)
        says = subject.replace("{process}", component) + does
        return Entry(n, at, component, _action(move, names), says, does, why, told)

    def _words(self, move: Move, names: Names, component: str, why: str) -> tuple[str, str]:
        """What a move does, without its subject, and why."""
        parameters = dict(move.action.parameters)
        given = {k: names.parameter(k, v) for k, v in parameters.items()}
        if move.action.rule == "happen" and parameters.get("event") in self.events:
            given["event"] = _event(self.events[parameters["event"]])
        template = SUBJECT.sub("", move.says)
        text = template
        for key, value in {"process": component, **given}.items():
            text = text.replace(f"{{{key}}}", value)
        about = given.get("key", "").rpartition("/")[2]
        why = why.removeprefix(f"{about}: ") if about else why
        if "does" in given and "{does}" not in template:
            doings, reasons = given.pop("does").split(", "), why.split("; ")
            if len(doings) == len(reasons):
                return text, ", ".join(f"{d} ({r})" if r else d for d, r in zip(doings, reasons, strict=True))
            return text, f"{', '.join(doings)}{f' ({why})' if why else ''}"
        more = [f"{k} {v}" for k, v in given.items() if f"{{{k}}}" not in template and k != "key"]
        return (f"{text} ({', '.join(more)})" if more else text), why


def without_pauses(entries: Sequence[Entry], loop_from: int | None = None) -> list[Entry]:
    """The entries with several steps of the clock in a row as one; the first step of a loop stays apart."""
    found: list[Entry] = []
    for entry in entries:
        before = found[-1] if found else None
        if before is not None and before.component == entry.component == CLOCK and before.n != loop_from:
            began = found[-2].at if len(found) > 1 else 0
            entry = replace(entry, does=f"{entry.at - began} s pass, and nobody has anything to do")
            found[-1] = entry
        else:
            found.append(entry)
    return found


@dataclass(frozen=True, slots=True)
class Again:
    """The entries before it, as many as the ``period``, happen so many ``times`` more, until step ``n``."""

    n: int
    at: int
    period: int
    times: int


LONGEST_PERIOD = 40


def folded(entries: Sequence[Entry], loop_from: int | None = None) -> list[Entry | Again]:
    """The entries for people: pauses as one, and what repeats itself before the loop told once.

    A run may go round a few times until timers that only count up have reached their end; such rounds are told as one
    although generated names differ.
    """
    shown = without_pauses(entries, loop_from)
    stem = [entry for entry in shown if loop_from is None or entry.n <= loop_from]
    keys = [(each.component, re.sub(r"-\d+\b", "", each.does), each.why) for each in stem]
    found: list[Entry | Again] = []
    i = 0
    while i < len(stem):
        period, times = _repetition(keys, i)
        if times:
            last = stem[i + period * (times + 1) - 1]
            found += [*stem[i : i + period], Again(last.n, last.at, period, times)]
            i += period * (times + 1)
        else:
            found.append(stem[i])
            i += 1
    return [*found, *shown[len(stem) :]]


def _repetition(keys: Sequence[object], start: int) -> tuple[int, int]:
    """The shortest period with which things repeat themselves from here, and how often, if that spares some lines."""
    for period in range(2, min(LONGEST_PERIOD, (len(keys) - start) // 2) + 1):
        times = 0
        block = keys[start : start + period]
        while keys[start + period * (times + 1) : start + period * (times + 2)] == block:
            times += 1
        if times * period >= 4:
            return period, times
    return 0, 0


def agreeing(text: str) -> str:
    """A sentence in which one of a thing is no more than one: ``1 pod is`` for ``1 pods are``."""
    return ONE.sub(lambda found: f"1 {found[1]}{VERBS.get(found[2], '')}", text)


def timeline(system: System, moves: Sequence[Move]) -> list[Entry]:
    """The moves as entries, from the initial state on."""
    return Timeline(system, moves).entries


def _plan(system: System) -> tuple[Event, ...]:
    """The events of the scenario."""
    plan: tuple[Event, ...] = next((p.constants["plan"] for p in system.processes if "plan" in p.constants), ())
    return plan


def _event(event: Event) -> str:
    """``release (kubectl apply of Deployment/web)``: what a user does, with the event's name if it says something."""
    if event.verb == "apply":
        manifests = [json.loads(text) for text in event.manifests]
        what = ", ".join(f"{m.get('kind')}/{m.get('metadata', {}).get('name', '?')}" for m in manifests)
        return f"{event.name} (kubectl apply of {what})"
    usual = f"{event.verb} {event.target}"
    command = f"{usual} to {event.replicas} replicas" if event.verb == "scale" else usual
    return command if event.name.startswith(usual) else f"{event.name} (kubectl {command})"


def _action(move: Move, names: Names) -> str:
    given = ", ".join(
        f"{k}={names.parameter(k, v)}"
        for k, v in move.action.parameters
        if not isinstance(v, Record) or isinstance(v, Ref)
    )
    return f"{names.process(move.action.process)}.{move.action.rule}({given})"
