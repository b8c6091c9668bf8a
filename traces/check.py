"""The main job: climb the ladder, judge every property on every rung, keep the shortest trace of each violation."""

from __future__ import annotations

import resource
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from kythera.model.scenarios.compile import compile_system
from kythera.model.scenarios.loader import Loaded
from kythera.model.scenarios.scenario import Faults, Rung, ladder
from kythera.model.system import Move, System
from kythera.properties.catalogue import CATALOGUE, applicable
from kythera.properties.engines.core import Core
from kythera.properties.engines.deadline import Deadline
from kythera.properties.engines.liveness import Lasso, Liveness
from kythera.properties.engines.path import moves_along, ways_to
from kythera.properties.engines.result import Exploration, Finding
from kythera.properties.engines.startup import starts_at_once
from kythera.properties.property import (
    HOLDS,
    INCONCLUSIVE,
    VACUOUS,
    VIOLATED,
    WITHIN_BOUNDS,
    AnyProperty,
    Convergence,
    Invariant,
    Recoverable,
    StepInvariant,
    worst,
)
from kythera.traces.timeline import Timeline

Progress = Callable[[str], None]
"""Is told, now and then, what is being done."""

INTERRUPTED = "interrupted"
NEVER_STARTED = "not started"

EXPLORING = 0.6
"""The part of the time of a rung that exploration may take, where runs without end are to be looked for afterwards."""

REBUILDING = 0.75
"""The same where a violation was found already: the way to it has to be found again."""

COMPILING = 15.0
"""Seconds that have to be left if the compiled engine has to be compiled first."""

SHOWN = 10
"""How many processes and slots a profile names."""

STOPPED_BY = {
    "time": "the time was up",
    "states": "the number of states was reached",
    "memory": "the memory was used up",
    INTERRUPTED: "it was interrupted",
    "finding": "the violation was found",
    NEVER_STARTED: "the time was up before it began",
}
"""Why a rung was not explored to its end."""


@dataclass(slots=True)
class Counterexample:
    """A run that breaks a property: the moves from the first state, and where the last of them leads back to.

    ``loop_from`` is the number of the step after which the run repeats itself for ever; ``None`` for a run that has
    an end, and ``len(moves)`` for a run that stops there because nobody can act.
    """

    property: str
    message: str
    rung: Rung
    system: System
    moves: list[Move]
    loop_from: int | None = None


@dataclass(slots=True)
class RungReport:
    """What was covered on one rung; ``possible`` are its actions (``kubelet.work``), ``judged`` its properties.

    ``searched``: among how many of its states, the nearest ones, runs without end were looked for (``None``: they were
    not asked about).  ``unfinished``: the properties for which that search did not get to its end.
    ``misses``: how often the rules of which process were called; ``values``: how many values which slot had.
    """

    rung: Rung
    result: Exploration
    seconds: float
    judged: frozenset[str] = frozenset()
    possible: frozenset[str] = frozenset()
    misses: dict[str, int] = field(default_factory=dict)
    values: dict[str, int] = field(default_factory=dict)
    calls: int = 0
    searched: int | None = None
    unfinished: frozenset[str] = frozenset()

    @property
    def fired(self) -> frozenset[str]:
        """The actions that were taken."""
        return frozenset(_action(process, rule) for process, rule in self.result.fired)

    @property
    def stopped(self) -> str:
        """Why it was not explored to its end; empty if it was."""
        return STOPPED_BY.get(self.result.stopped, self.result.stopped)

    def settles(self, prop: AnyProperty) -> bool:
        """Whether the property can be broken in no way that was not looked at."""
        whole = self.searched in (None, self.result.states)
        return (
            self.result.complete
            and prop.name not in self.unfinished
            and (whole or not isinstance(prop, (Convergence, Recoverable)))
        )

    def limits(self, prop: AnyProperty) -> str:
        """What was not looked at, if anything."""
        found = [self.stopped] if self.stopped else []
        if isinstance(prop, (Convergence, Recoverable)) and self.searched is not None:
            part = "all" if self.searched == self.result.states else f"the first {self.searched:,}"
            ended = ", until the time was up" if prop.name in self.unfinished else ""
            where = f"{part} of its {self.result.states:,} states"
            found.append(f"runs without end were looked for among {where}{ended}")
        return ", ".join(found)


def _action(process: str, rule: str) -> str:
    """An action of whichever instance of a component: ``kubelet.work``."""
    return f"{process.partition('/')[0]}.{rule}"


@dataclass(slots=True)
class PropertyReport:
    """The verdict on one property, over all rungs."""

    name: str
    says: str
    verdict: str
    counterexample: Counterexample | None = None
    note: str = ""
    fairness: str = "none"


@dataclass(slots=True)
class Report:
    """The answer to a scenario."""

    loaded: Loaded
    properties: list[PropertyReport]
    rungs: list[RungReport]
    seconds: float = 0.0
    interrupted: bool = False

    @property
    def never_fired(self) -> list[str]:
        """The actions that no rung ever took, although they were there to be taken."""
        possible = frozenset[str]().union(*(each.possible for each in self.rungs))
        return sorted(possible.difference(*(each.fired for each in self.rungs)))

    @property
    def verdict(self) -> str:
        """The worst of the properties' verdicts; without a property there was nothing that could fail."""
        return worst([each.verdict for each in self.properties]) if self.properties else VACUOUS


@dataclass(frozen=True, slots=True)
class Budget:
    """What a check may spend: seconds in all, distinct states per rung, bytes of memory."""

    seconds: float = 60.0
    states: int = 50_000_000
    memory: int = 16 << 30


def check(
    loaded: Loaded,
    budget: Budget = Budget(),
    progress: Progress | None = None,
    interrupted: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = time.perf_counter,
) -> Report:
    """Climb the ladder of a scenario within a budget; an interruption ends it early, with what was found so far.

    ``interrupted`` is asked now and then whether the user wants it to end.
    """
    started = clock()
    found: dict[str, Counterexample] = {}
    rungs: list[RungReport] = []
    wanted: dict[Rung, list[AnyProperty]] = {}
    steps = ladder(loaded.scenario)
    over = stopped = False
    for number, rung in enumerate(steps):
        system = compile_system(loaded.objects, loaded.scenario, rung)
        wanted[rung] = applicable(system, loaded.objects, loaded.scenario, rung)
        open_ones = [each for each in wanted[rung] if each.name not in found]
        left = budget.seconds - (clock() - started)
        over = over or bool(rungs and left <= 0.02 * budget.seconds)
        if over or not open_ones:
            continue
        watch = Watch(rung_name(rung), progress, interrupted)
        deadline = Deadline(left if number == len(steps) - 1 else left / 2, clock, watch.search)
        begun = clock()
        core, report = explore(system, open_ones, rung, deadline, budget, watch)
        rungs.append(report)
        try:
            judge(core, open_ones, report, deadline, found)
        except KeyboardInterrupt:
            stopped = True
        report.seconds = clock() - begun
        over = stopped = stopped or report.result.stopped == INTERRUPTED
    reports = _reports(loaded, wanted, found, rungs)
    return Report(loaded, reports, rungs, clock() - started, stopped)


class Watch:
    """Shows how a rung gets on, and ends it when the time is up or the user wants it."""

    def __init__(self, name: str, progress: Progress | None, interrupted: Callable[[], bool]) -> None:
        self.name = name
        self.progress = progress
        self.interrupted = interrupted

    def search(self, doing: str) -> None:
        """Called during the search for runs without end."""
        if self.interrupted():
            raise KeyboardInterrupt
        if self.progress is not None and doing:
            self.progress(f"{self.name}: looking for runs without end: {doing}")

    def explore(self, core: Core, deadline: Deadline, result: Exploration, frontier: int) -> None:
        """Called during the exploration, which ends when it is marked as stopped."""
        if self.interrupted():
            result.stopped = INTERRUPTED
        elif deadline.left() < 0:
            result.stopped = "time"
        if self.progress is not None:
            rate = result.states / max(result.seconds, 1e-6)
            self.progress(
                f"{self.name}: {result.states:,} states, {rate:,.0f}/s, depth {result.depth}, frontier {frontier:,}"
            )


def explore(
    system: System,
    properties: Sequence[AnyProperty],
    rung: Rung,
    deadline: Deadline,
    budget: Budget,
    watch: Watch,
) -> tuple[Core, RungReport]:
    """Explore one rung; some of the time is kept for the judgement of liveness, if it is to be judged.

    If only one property is asked for, and one that a single state or step can break, the first violation ends it.
    """
    core = Core(system, properties)
    lively = any(isinstance(each, (Convergence, Recoverable)) for each in properties)
    names = {each.name for each in properties}
    whole = Deadline(deadline.left(), deadline.clock)
    until, rebuilding = whole.part(EXPLORING if lively else 1.0), whole.part(EXPLORING if lively else REBUILDING)
    large = core.large

    def watched(result: Exploration, frontier: int) -> None:
        bound = rebuilding if result.findings else until
        core.large = large if bound.left() > COMPILING or starts_at_once() else float("inf")
        watch.explore(core, bound, result, frontier)

    result = core.run(
        max(until.left(), 0.0),
        budget.states,
        watched,
        stop_at_finding=len(names) == 1 and not lively,
        out_of_memory=lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 > budget.memory,
    )
    possible = frozenset(_action(p.name, r.name) for p in system.processes for r in p.rules)
    report = RungReport(rung, result, result.seconds, frozenset(names), possible)
    report.calls, report.misses = core.tables.rule_calls, dict(core.tables.misses.most_common(SHOWN))
    codec = core.tables.codec
    values = Counter({slot.family: len(codec.values[codec.table[i]]) for i, slot in enumerate(system.slots)})
    report.values = dict(values.most_common(SHOWN))
    return core, report


def judge(
    core: Core,
    properties: Sequence[AnyProperty],
    report: RungReport,
    deadline: Deadline,
    found: dict[str, Counterexample],
) -> None:
    """Add the counterexamples that an exploration holds to those ``found``, each rebuilt by the plain step.

    What was searched is noted in the report of the rung, also if an interruption ends the search.
    """
    ways = ways_to(core, [finding.state for finding in core.result.findings])
    for finding in core.result.findings:
        parts = [each for each in properties if each.name == finding.property]
        found[finding.property] = _from_finding(core, finding, ways[finding.state], parts, report.rung)
    lively = [
        each for each in properties if isinstance(each, (Convergence, Recoverable)) and each.name not in found
    ]  # fmt: skip
    report.unfinished = frozenset(each.name for each in lively)
    if not lively or core.result.stopped == INTERRUPTED:
        return
    liveness = Liveness(core, deadline)
    report.searched = len(liveness.graph.states)
    for prop in lively:
        lasso = liveness.convergence(prop) if isinstance(prop, Convergence) else liveness.recoverable(prop)
        if lasso is not None:
            found[prop.name] = _from_lasso(core, lasso, liveness, isinstance(prop, Convergence), report.rung)
        if prop.name not in liveness.unfinished:
            report.unfinished -= {prop.name}


def _from_finding(
    core: Core, finding: Finding, way: Sequence[int], parts: Sequence[AnyProperty], rung: Rung
) -> Counterexample:
    """A run to the state that was found, and with the step that was found, if it is a step."""
    moves = moves_along(core, way)
    message, after = finding.message, len(moves)
    if isinstance(parts[0], StepInvariant):
        row = core.tables.codec.decode(finding.state)
        broken = (
            (m, text) for m in core.system.moves(row) for part in parts if (text := breaks(core.system, part, row, m))
        )
        move, message = next(broken)
        moves.append(move)
    return _told(Counterexample(finding.property, message, rung, core.system, moves), after)


def breaks(system: System, prop: AnyProperty, row: tuple[Any, ...], move: Move) -> str | None:
    """What a property has against a move out of a row, by the plain step."""
    slots = [system.index[name] for name in prop.slots]
    if isinstance(prop, StepInvariant):
        return prop.broken(tuple(row[i] for i in slots), tuple(move.raw[i] for i in slots), move.action)
    if isinstance(prop, Invariant):
        return prop.broken(*(move.row[i] for i in slots))
    return None


def _from_lasso(core: Core, lasso: Lasso, liveness: Liveness, loops: bool, rung: Rung) -> Counterexample:
    stem = liveness.way_to(lasso)
    moves = [*moves_along(core, stem), *lasso.moves]
    entry = len(stem) - 1
    return _told(
        Counterexample(lasso.property, lasso.message, rung, core.system, moves, entry if loops else None), entry
    )


def _told(case: Counterexample, after: int) -> Counterexample:
    """The counterexample with its message, which speaks of the state after so many moves, in the timeline's names."""
    case.message = Timeline(case.system, case.moves).say(case.message, after)
    return case


def _reports(
    loaded: Loaded,
    wanted: dict[Rung, list[AnyProperty]],
    found: dict[str, Counterexample],
    rungs: Sequence[RungReport],
) -> list[PropertyReport]:
    """The verdict on each property that applies on some rung or is asked for, in the catalogue's order."""
    made: dict[str, PropertyReport] = {}
    for properties in wanted.values():
        for each in properties:
            if each.name not in made:
                claimed = [rung for rung, names in wanted.items() if any(p.name == each.name for p in names)]
                made[each.name] = verdict_of(each, found.get(each.name), claimed, rungs)
    asked = loaded.scenario.properties or ()
    for statement in CATALOGUE:
        if statement.name in asked and statement.name not in made:
            note = "nothing in this scenario could break it"
            made[statement.name] = PropertyReport(statement.name, statement.says, VACUOUS, None, note)
    order = [statement.name for statement in CATALOGUE]
    return sorted(made.values(), key=lambda each: order.index(each.name) if each.name in order else len(order))


def verdict_of(
    prop: AnyProperty,
    counterexample: Counterexample | None,
    claimed: Sequence[Rung],
    rungs: Sequence[RungReport],
) -> PropertyReport:
    """The honest verdict, from what was seen on the rungs where the property is claimed.

    Safety is judged wherever something was visited.  That no run goes wrong for ever can only be told of a rung that
    was explored to its end, and searched.
    """
    lively = isinstance(prop, (Convergence, Recoverable))
    fairness = "weak" if isinstance(prop, Convergence) else "none"

    def verdict(name: str, note: str = "") -> PropertyReport:
        return PropertyReport(prop.name, prop.says, name, counterexample, note, fairness)

    if counterexample is not None:
        return verdict(VIOLATED)
    judged = {each.rung: each for each in rungs if prop.name in each.judged}
    open_ones = [
        f"{rung_name(rung)}: {judged[rung].limits(prop) if rung in judged else STOPPED_BY[NEVER_STARTED]}"
        for rung in claimed
        if rung not in judged or not judged[rung].settles(prop)
    ]
    limits = f"not explored to the end: {'; '.join(open_ones)}"
    counted = [each for each in judged.values() if each.settles(prop) or not lively]
    if not counted:
        return verdict(INCONCLUSIVE, limits)
    if prop.applies is not None and not any(prop.name in each.result.applied for each in counted):
        never = "it never had a chance to fail"
        return verdict(INCONCLUSIVE, f"{never}; {limits}") if open_ones else verdict(VACUOUS, never)
    return verdict(WITHIN_BOUNDS, limits) if open_ones else verdict(HOLDS)


def rung_name(rung: Rung) -> str:
    """``fine, crash 1, staleness lag``."""
    return f"{rung.granularity}, {faults_text(rung.faults)}"


def faults_text(faults: Faults) -> str:
    """The faults that may happen, in words."""
    names = faults.__record_fields__
    told = (
        f"{name.replace('_', ' ')} {value}" for name in names if (value := getattr(faults, name)) not in (0, "none")
    )
    return ", ".join(told) or "no faults"
