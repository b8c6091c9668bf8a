"""Liveness: does every fair run get to the goal and stay there; can the goal always still be reached.

A run that never settles stays, from some time on, in one strongly connected component, and if it is fair in a part of
it where nobody is starved (``fairness``).  A state in which nobody owes a step lasts for ever.

Steps of faults and users happen only so often, so they lie on no cycle; they owe nothing.

Everything that is found is carried out once more by the plain step, and its fairness told by that, before it is
reported.  In an exploration that was stopped, and in one that there was no time to search as a whole, what is found is
as true as in a whole one, but something may be missed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from kythera.model.normalise import older
from kythera.model.rule import CLOCK, Action
from kythera.model.system import Move
from kythera.properties.engines.core import Core
from kythera.properties.engines.deadline import Deadline, OutOfTime
from kythera.properties.engines.fairness.cycles import Cycles
from kythera.properties.engines.fairness.names import Way
from kythera.properties.engines.fairness.regions import Region, Regions
from kythera.properties.engines.fairness.units import starved, unit
from kythera.properties.engines.graph import ASKED, CLOCK_UNIT, Graph, build, reaching
from kythera.properties.engines.situations import NEVER, Group, Special
from kythera.properties.property import Convergence, Recoverable

BUILDING = 0.6
"""The part of the time that may be spent on collecting steps; what is left is for looking at them."""

CANDIDATES = 8
"""How many runs that break a property are compared by their length; the nearest ones are found first."""


@dataclass(slots=True)
class Lasso:
    """A run that breaks a property: to ``entry``, and from there round ``cycle`` for ever (empty: it stays).

    ``cycle`` lists states as integers, beginning after ``entry`` and ending with it; ``moves`` are the moves of the
    plain step from each to the next.  ``number``: of the entry in the graph.
    """

    property: str
    message: str
    entry: int
    cycle: list[int]
    number: int = 0
    moves: list[Move] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A state in which a run may go wrong for ever, and the step that it has to take there, if it is a step."""

    state: int
    message: str
    region: Region | None  # where the run may go on; ``None``: it stays in this state
    step: Way | None = None


class Liveness:
    """The graph of an exploration, asked about several properties."""

    def __init__(self, core: Core, deadline: Deadline | None = None) -> None:
        self.core = core
        self.deadline = deadline or Deadline()
        self.graph: Graph = build(core, self.deadline.part(BUILDING))
        self.regions = Regions(core, self.graph, self.deadline)
        self.cycles = Cycles(self.regions)
        self.unfinished: set[str] = set()

    @property
    def whole(self) -> bool:
        """Whether all states that can be reached are in the graph."""
        return self.core.result.complete and len(self.graph.states) == self.graph.known

    def convergence(self, prop: Convergence) -> Lasso | None:
        """A short run that is fair and never settles in the goal, or takes a forbidden step for ever.

        If the time was up before all was looked at and nothing was found, the property is noted as ``unfinished``.
        """
        best: Lasso | None = None
        length = 0
        try:
            for number, candidate in enumerate(self.candidates(prop)):
                depth = self.graph.depth(candidate.state)
                if best is not None and (number >= CANDIDATES or depth >= length or self.deadline.over()):
                    break
                lasso = self.lasso(prop, candidate)
                if best is None or depth + len(lasso.cycle) < length:
                    best, length = lasso, depth + len(lasso.cycle)
        except OutOfTime:
            if best is None:
                self.unfinished.add(prop.name)
        return best

    def way_to(self, lasso: Lasso) -> list[int]:
        """The states on a shortest way to where a run goes round or stays."""
        return [self.graph.states[number] for number in self.graph.way_to(lasso.number)]

    def candidates(self, prop: Convergence) -> Iterator[Candidate]:
        """Where a run may go wrong for ever, the nearest first."""
        lacks = Missing(self.core, self.graph, prop)
        forbids = None if prop.forbidden is None else Forbidden(self.core, prop)
        label, cyclic = self.regions.label, self.regions.members
        for state in range(len(self.graph.states)):
            if state % ASKED == 0:
                self.deadline.check(f"{prop.name}, {state:,} of {len(self.graph.states):,} states")
            stays = not self.graph.owed(state)
            if not stays and label[state] not in cyclic:
                continue
            message = lacks.message(state)
            if message is not None:
                region = None if stays else self.regions.region(state)
                if stays or region is not None:
                    yield Candidate(state, message, region)
            elif forbids is not None and (region := self.regions.region(state)) is not None:
                yield from self.forbidden(prop, forbids, state, region)

    def forbidden(self, prop: Convergence, forbids: Forbidden, state: int, region: Region) -> Iterator[Candidate]:
        """The forbidden steps out of a state that a run may take again and again."""
        for action, successor, message in forbids.steps(self.graph.states[state]):
            row = self.core.tables.codec.decode(self.graph.states[state])
            for way in self.regions.ways(region, state):
                # other steps, of the same unit even, may lead to the same state
                if way.action == action and self.graph.states[way.target] == successor and self.move(row, way, prop):
                    yield Candidate(state, message, region, way)
                    break

    def lasso(self, prop: Convergence, candidate: Candidate) -> Lasso:
        """The run through a candidate."""
        entry, states = candidate.state, self.graph.states
        ways = [] if candidate.region is None else self.cycles.cycle(candidate.region, entry, candidate.step)
        lasso = Lasso(prop.name, candidate.message, states[entry], [states[way.target] for way in ways], entry)
        row = start = self.core.tables.codec.decode(lasso.entry)
        for way in ways:
            move = self.move(row, way, prop if candidate.step is not None and not lasso.moves else None)
            if move is None:
                raise RuntimeError(f"the plain step does not confirm a run that breaks {prop.name}")
            lasso.moves.append(move)
            row = move.row
        left = starved(self.core.system, start, lasso.moves)
        if left or row != start:
            raise RuntimeError(f"a run that breaks {prop.name} is not fair to {sorted(left)}")
        return lasso

    def move(self, row: tuple[Any, ...], way: Way, prop: Convergence | None = None) -> Move | None:
        """The move of the plain step that is a step of the graph, and which a property forbids, if one is given."""
        tables, names = self.core.tables, self.regions.names
        wanted = tables.codec.decode(self.graph.states[way.target])
        slots = [] if prop is None else [tables.index[name] for name in prop.slots]
        for move in self.core.system.moves(row):
            same = move.actor == CLOCK if way.action == CLOCK_UNIT else unit(move) == tables.actions[way.action]
            if same and move.row == wanted and (not names.follows or move.renaming == names.known[way.renaming]):
                if prop is None or prop.forbidden is None:
                    return move
                before, after = tuple(row[i] for i in slots), tuple(move.raw[i] for i in slots)
                if prop.forbidden(before, after, move.action) is not None:
                    return move
        return None

    def recoverable(self, prop: Recoverable) -> Lasso | None:
        """The nearest state from which the goal cannot be reached any more; asked of whole explorations only."""
        if not self.whole:
            self.unfinished.add(prop.name)
            return None
        lacks = Missing(self.core, self.graph, prop)
        states = range(len(self.graph.states))
        can = reaching(self.graph, [state for state in states if lacks.message(state) is None])
        for state in states:
            if not can[state]:
                return Lasso(prop.name, lacks.message(state) or "", self.graph.states[state], [], state)
        return None


class Missing:
    """What is missing for the goal of a property, once per distinct projection to the slots that it looks at."""

    def __init__(self, core: Core, graph: Graph, prop: Convergence | Recoverable) -> None:
        self.codec = core.tables.codec
        self.graph = graph
        self.missing = prop.missing
        self.slots = [core.tables.index[name] for name in prop.slots]
        self.mask = self.codec.mask(self.slots)
        self.known: dict[int, str | None] = {}

    def message(self, state: int) -> str | None:
        """What is missing in a state, if anything."""
        if self.missing is None:
            return None
        key = self.graph.states[state] & self.mask
        if key not in self.known:
            self.known[key] = self.missing(*(self.codec.value(i, key) for i in self.slots))
        return self.known[key]


class Forbidden:
    """The steps that a property forbids, told from the memo tables: each group once per situation."""

    def __init__(self, core: Core, prop: Convergence) -> None:
        self.tables, self.system = core.tables, core.system
        assert prop.forbidden is not None
        self.forbidden = prop.forbidden
        self.slots = [self.tables.index[name] for name in prop.slots]
        self.mask = self.tables.codec.mask(self.slots)
        self.known: list[dict[int, list[tuple[Special, str]]]] = [{} for _ in self.tables.groups]

    def steps(self, state: int) -> Iterator[tuple[int, int, str]]:
        """The forbidden steps out of a state: the action, where it leads, what is wrong with it."""
        situations = []
        for group, known in zip(self.tables.groups, self.known, strict=True):
            key = state & (group.mask | self.mask)
            found = known.get(key)
            if found is None:
                found = known[key] = list(self.of(group, key))
            for special, message in found:
                yield special.action, self.tables.normalised(state ^ special.delta, special), message
            situations.append(self.tables.known(group, state & group.mask))
        wait = self.tables.wait(situations)
        if wait < NEVER:
            yield from self.tick(state, wait)

    def of(self, group: Group, key: int) -> Iterator[tuple[Special, str]]:
        """What is forbidden of the steps of a group in a situation."""
        before = self.values(key)
        for special, label in self.tables.steps(group, key):
            message = self.forbidden(before, self.values(key ^ special.delta), label)
            if message is not None:
                yield special, message

    def values(self, key: int) -> tuple[Any, ...]:
        """The values that the property looks at."""
        return tuple([self.tables.codec.value(i, key) for i in self.slots])

    def tick(self, state: int, seconds: int) -> Iterator[tuple[int, int, str]]:
        """The passing of time, if that is forbidden.  Whether it is possible at all, the graph knows."""
        clock = self.system.clock
        assert clock is not None
        before = self.values(state)
        after = tuple([older(value, seconds, clock.horizons) for value in before])
        message = self.forbidden(before, after, Action(CLOCK, "advance", (("seconds", seconds),)))
        if message is not None:
            yield CLOCK_UNIT, self.tables.ticked(state, seconds), message
