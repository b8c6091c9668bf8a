"""The main job: climb the ladder, judge every property on every rung, keep the shortest trace of each violation.

What follows from that for each property is in ``report.py``.
"""

from __future__ import annotations

import resource
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kythera.model.scenarios.compile import compile_system
from kythera.model.scenarios.loader import Loaded
from kythera.model.scenarios.scenario import Rung, ladder
from kythera.model.system import Move, System
from kythera.properties.catalogue import applicable
from kythera.properties.engines.core import Core
from kythera.properties.engines.deadline import Deadline
from kythera.properties.engines.liveness import Lasso, Liveness
from kythera.properties.engines.path import moves_along, ways_to
from kythera.properties.engines.result import Exploration, Finding
from kythera.properties.engines.startup import starts_at_once
from kythera.properties.property import (
    AnyProperty,
    Convergence,
    Invariant,
    Recoverable,
    StepInvariant,
)
from kythera.traces.report import INTERRUPTED, Counterexample, Report, RungReport, action_of, reports, rung_name
from kythera.traces.timeline import Timeline

Progress = Callable[[str], None]
"""Is told, now and then, what is being done."""

EXPLORING = 0.6
"""The part of the time of a rung that exploration may take, where runs without end are to be looked for afterwards."""

REBUILDING = 0.75
"""The same where a violation was found already: the way to it has to be found again."""

COMPILING = 15.0
"""Seconds that have to be left if the compiled engine has to be compiled first."""

SHOWN = 10
"""How many processes and slots a profile names."""


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
    properties = reports(loaded.scenario, wanted, found, rungs)
    return Report(loaded, properties, rungs, clock() - started, stopped)


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
    possible = frozenset(action_of(p.name, r.name) for p in system.processes for r in p.rules)
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
