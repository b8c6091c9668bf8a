"""What can be done in a local situation, as differences, and who is asked: parts, groups and bundles of rules.

The rules of a process that read the same slots are a *part*; a part is evaluated once per situation of these slots.
The parts of one process are looked up together (a ``Group``), and processes of which few combinations of situations
occur too (a ``Bundle``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kythera.model.request import Ref
from kythera.model.rule import Action, Process, Rule
from kythera.properties.engines.codec import Relayout
from kythera.properties.property import StepInvariant

NEVER = 1 << 30


@dataclass(frozen=True, slots=True)
class Found:
    """One outcome of a rule: the slots that it writes with the numbers of their values, and what is left to normalise.

    ``gone``: uids (as bits) that perhaps occur no more.  ``rename``: uids have come, or stored ones have gone.
    ``order``: perhaps pods or nodes are not in their canonical order any more.
    """

    changes: tuple[tuple[int, int], ...]
    action: int
    label: Action
    stages: tuple[int, ...]
    gone: int
    rename: bool
    order: bool

    def of(self, delta: int) -> Special:
        """The outcome as a difference."""
        return Special(delta, self.action, self.stages, self.gone, self.rename, self.order)

    @property
    def plain(self) -> bool:
        """Whether there is nothing to normalise."""
        return not (self.stages or self.gone or self.rename or self.order)


@dataclass(frozen=True, slots=True)
class Situation:
    """What a part can do in one situation of the slots that it reads."""

    found: tuple[Found, ...]
    urgent: bool
    wake: int


@dataclass(slots=True)
class Special:
    """An outcome that may leave something to normalise (see ``Found``)."""

    delta: int
    action: int
    stages: tuple[int, ...]
    gone: int
    rename: bool
    order: bool


@dataclass(slots=True)
class Local:
    """What a group can do in one local situation.

    ``wait``: in how many seconds it could go on although nothing else changes, ``NEVER``, or -1 if time may not pass
    before it has done something.
    """

    deltas: tuple[int, ...]
    actions: tuple[int, ...]  # of the deltas
    specials: tuple[Special, ...]
    wait: int
    visits: int = 0
    failed: tuple[tuple[str, str, int, int], ...] = ()  # property, message, delta, action

    def move(self, moved: Relayout) -> Local:
        """Move its differences into a new layout."""
        self.deltas = tuple(map(moved, self.deltas))
        for special in self.specials:
            special.delta = moved(special.delta)
        self.failed = tuple((name, message, moved(delta), action) for name, message, delta, action in self.failed)
        return self


Unit = tuple[str, str, str]
"""A process, one of its rules, and the object that it works on or the kind that it learns of, if any.

An object is called ``Pod/default/web-0``, or ``Pod/default/#7`` by its uid if its name is generated.
"""


def unit_of(process: str, rule: str, parameters: tuple[tuple[str, Any], ...]) -> Unit:
    """The unit of fairness that an action belongs to."""
    for name, value in parameters:
        if name == "key" and isinstance(value, Ref):
            who = value.name or ("" if value.uid is None else f"#{value.uid}")
            return process, rule, f"{value.kind}/{value.namespace}/{who}" if who else ""
        if name == "what":
            return process, rule, str(value)
    return process, rule, ""


class Part:
    """Rules of a process that read the same slots."""

    def __init__(self, process: Process, rules: tuple[Rule, ...], index: dict[str, int]) -> None:
        self.process = process
        self.rules = rules
        self.name = f"{process.name}.{'|'.join(each.name for each in rules)}"
        self.reads = tuple(sorted(index[name] for name in process.reads(rules)))
        self.known: dict[str, Any] = dict(process.constants)
        self.single: list[tuple[str, int]] = []
        self.several: list[tuple[str, tuple[int, ...]]] = []
        wanted = {name for each in rules for name in each.reads}
        for parameter, bound in process.slots.items():
            if parameter not in wanted:
                continue
            if isinstance(bound, str):
                self.single.append((parameter, index[bound]))
            else:
                self.several.append((parameter, tuple(index[name] for name in bound)))
        self.memo: dict[tuple[int, ...], Situation] = {}


class Group:
    """The parts of a process, looked up together, and the properties that judge its steps."""

    def __init__(self, process: Process, index: dict[str, int], judges: Sequence[StepInvariant]) -> None:
        self.process = process
        rules: dict[frozenset[str], list[Rule]] = {}
        for each in process.rules:
            rules.setdefault(frozenset(process.reads((each,))), []).append(each)
        self.parts = [Part(process, tuple(some), index) for some in rules.values()]
        reads = {i for part in self.parts for i in part.reads}
        self.judges: list[tuple[StepInvariant, tuple[int, ...]]] = []
        for judge in judges:
            slots = tuple(index[name] for name in judge.slots)
            if not reads.isdisjoint(slots) and (judge.by is None or process.name in judge.by):
                self.judges.append((judge, slots))
        self.reads = tuple(sorted(reads.union(*(slots for _, slots in self.judges))))
        self.mask = 0
        self.memo: dict[int, Local] = {}


class Bundle:
    """Groups that are looked up together, because few combinations of their situations occur."""

    def __init__(self, groups: Sequence[Group]) -> None:
        self.groups = tuple(groups)
        self.mask = 0
        self.memo: dict[int, Local] = groups[0].memo if len(groups) == 1 else {}
        self.layout()

    def layout(self) -> None:
        """The bits that its groups read."""
        self.mask = 0
        for group in self.groups:
            self.mask |= group.mask
