"""Systems: an initial row of slots, the processes that change it, and how a row is normalised.

``System`` is the one thing that every engine takes.  The functions here are the reference: what a step *is*.  They
are written to be read, on whole rows of values; engines that are faster are held to the same counts.

A step is: one outcome of one process is written, each ``Stage`` that concerns a slot that was written is carried out,
and the row is brought into its canonical form (``Symmetry``).  Time passes by a step of its own (``Clock``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from kythera.model.normalise import IDENTITY, Renaming, older
from kythera.model.rule import URGENT, Action, Outcome, Process, Wake
from kythera.model.slot import Slot
from kythera.model.symmetry import Row, Symmetry

CLOCK = "clock"
PROMPT = "prompt"
ADVERSARIAL = "adversarial"


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of normalising that concerns few slots: what it reads (and may rewrite), and which of them wake it.

    ``concerns`` tells of the old and the new value of such a slot whether the stage can have anything to do; an engine
    may then leave it out.
    """

    name: str
    reads: tuple[str, ...]
    triggers: frozenset[str]
    function: Callable[[tuple[Any, ...]], tuple[Any, ...]]
    concerns: Callable[[Any, Any], bool] | None = None


@dataclass(frozen=True, slots=True)
class Clock:
    """How time passes.

    ``regime`` is prompt (only when no component can do anything) or adversarial (whenever somebody waits).
    ``horizons`` say how old a field is worth telling apart.
    """

    regime: str = PROMPT
    horizons: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Move:
    """A possible step: its action, where it leads (``raw`` before, ``row`` after normalising), what was renamed."""

    action: Action
    actor: str
    raw: Row
    row: Row
    renaming: Renaming = IDENTITY
    note: str = ""
    says: str = ""
    seconds: int = 0


@dataclass(frozen=True)
class System:
    """Everything that an engine needs to know."""

    name: str
    slots: tuple[Slot, ...]
    processes: tuple[Process, ...]
    stages: tuple[Stage, ...] = ()
    symmetry: Symmetry | None = None
    clock: Clock | None = None
    description: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Where each slot stands in a row."""
        return {slot.name: i for i, slot in enumerate(self.slots)}

    @cached_property
    def initial(self) -> Row:
        """The first row, in canonical form."""
        row = tuple(slot.initial for slot in self.slots)
        if self.clock is not None:
            row = tuple(older(value, 0, self.clock.horizons) for value in row)
        return self.normalised(row, frozenset(self.index))[0]

    def normalised(self, row: Row, written: frozenset[str]) -> tuple[Row, Renaming]:
        """The row in its canonical form, after the slots named were written."""
        for stage in self.stages:
            if stage.triggers & written:
                values = list(row)
                old = tuple(row[self.index[name]] for name in stage.reads)
                for name, value in zip(stage.reads, stage.function(old), strict=True):
                    values[self.index[name]] = value
                row = tuple(values)
        if self.symmetry is None:
            return row, IDENTITY
        renaming = self.symmetry.plan(row)
        return (self.symmetry.apply(row, renaming), renaming) if renaming else (row, IDENTITY)

    def moves(self, row: Row) -> Iterator[Move]:
        """Every step that is possible in a row, in a fixed order.  A step that changes nothing is none."""
        wake: int | None = None
        urgent = False
        for process in self.processes:
            for rule, result in process.outcomes(process.rules, lambda name: row[self.index[name]]):
                if isinstance(result, Wake):
                    wake = result.seconds if wake is None else min(wake, result.seconds)
                    continue
                new, written = self.written(row, process, result)
                if new == row:
                    continue
                urgent = urgent or rule.actor in URGENT
                canonical, renaming = self.normalised(new, written)
                yield Move(
                    Action(process.name, rule.name, result.parameters),
                    rule.actor, new, canonical, renaming, result.note, rule.says,
                )  # fmt: skip
        if self.clock is not None and wake is not None and (self.clock.regime == ADVERSARIAL or not urgent):
            tick = self.tick(row, wake)
            if tick.row != row:
                yield tick

    def written(self, row: Row, process: Process, result: Outcome) -> tuple[Row, frozenset[str]]:
        """The row after an outcome, not yet normalised, and the names of the slots that it wrote."""
        new, written = list(row), set()
        for name, value in process.written(result):
            if new[self.index[name]] != value:
                new[self.index[name]] = value
                written.add(name)
        return tuple(new), frozenset(written)

    def tick(self, row: Row, seconds: int) -> Move:
        """Time passes: everything is so many seconds older."""
        assert self.clock is not None
        aged = tuple(older(value, seconds, self.clock.horizons) for value in row)
        canonical, renaming = self.normalised(aged, frozenset(self.index))
        action = Action(CLOCK, "advance", (("seconds", seconds),))
        return Move(action, CLOCK, aged, canonical, renaming, "", "{seconds} s pass", seconds)


@dataclass(frozen=True, slots=True)
class Cluster:
    """A row with the names of its slots: what properties and people look at."""

    system: System
    row: Row

    def __getitem__(self, slot: str) -> Any:
        return self.row[self.system.index[slot]]
