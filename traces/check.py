"""The main job: climb the ladder, judge every property on every rung, keep the shortest trace of each violation."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from kythera.model.scenarios.compile import compile_system
from kythera.model.scenarios.loader import Loaded
from kythera.model.scenarios.scenario import Faults, Rung, ladder
from kythera.model.system import Move, System
from kythera.properties.catalogue import CATALOGUE, applicable
from kythera.properties.engines.core import Core
from kythera.properties.engines.liveness import Lasso, Liveness
from kythera.properties.engines.path import moves_along, states_to
from kythera.properties.engines.result import Exploration, Finding
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

Progress = Callable[[Rung, Exploration, int], None]

INTERRUPTED = "interrupted"
NEVER_STARTED = "not started"

EXPLORING = 2 / 3
"""The part of the time that exploration may take, where liveness is to be judged afterwards."""

LARGEST_OPEN = 5_000
"""An exploration that was stopped is searched for runs without end up to so many states: the search costs as much time
as the exploration, and mostly finds components that are cut off where it was stopped."""

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
    """What was covered on one rung; ``possible`` are its actions (``kubelet.work``), ``judged`` its properties."""

    rung: Rung
    result: Exploration
    seconds: float
    judged: frozenset[str] = frozenset()
    possible: frozenset[str] = frozenset()
    misses: dict[str, int] = field(default_factory=dict)
    calls: int = 0

    @property
    def fired(self) -> frozenset[str]:
        """The actions that were taken."""
        return frozenset(_action(process, rule) for process, rule in self.result.fired)

    @property
    def stopped(self) -> str:
        """Why it was not explored to its end; empty if it was."""
        return STOPPED_BY.get(self.result.stopped, self.result.stopped)


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


def check(loaded: Loaded, budget: Budget = Budget(), progress: Progress | None = None) -> Report:
    """Climb the ladder of a scenario within a budget; an interruption ends it early, with what was found so far."""
    started = time.perf_counter()
    found: dict[str, Counterexample] = {}
    rungs: list[RungReport] = []
    wanted: dict[Rung, list[AnyProperty]] = {}
    steps = ladder(loaded.scenario)
    over = False
    for number, rung in enumerate(steps):
        left = budget.seconds - (time.perf_counter() - started)
        system = compile_system(loaded.objects, loaded.scenario, rung)
        wanted[rung] = applicable(system, loaded.objects, loaded.scenario, rung)
        open_ones = [each for each in wanted[rung] if each.name not in found]
        over = over or bool(rungs and left <= 0.02 * budget.seconds)
        if over or not open_ones:
            continue
        share = left if number == len(steps) - 1 else left / 2
        core, report = explore(system, open_ones, rung, share, budget, progress)
        rungs.append(report)
        begun = time.perf_counter()
        try:
            found.update(judge(core, open_ones, rung))
        except KeyboardInterrupt:
            report.result.stopped = INTERRUPTED
        report.seconds += time.perf_counter() - begun
        over = report.result.stopped == INTERRUPTED
    reports = _reports(loaded, wanted, found, rungs)
    return Report(loaded, reports, rungs, time.perf_counter() - started)


def explore(
    system: System,
    properties: Sequence[AnyProperty],
    rung: Rung,
    seconds: float,
    budget: Budget,
    progress: Progress | None = None,
) -> tuple[Core, RungReport]:
    """Explore one rung; some of the time is kept for the judgement of liveness, if it is to be judged.

    If only one property is asked for, and one that a single state or step can break, the first violation ends it.
    """
    started = time.perf_counter()
    core = Core(system, properties)
    lively = any(isinstance(each, (Convergence, Recoverable)) for each in properties)
    names = {each.name for each in properties}
    result = core.run(
        seconds * (EXPLORING if lively else 1.0),
        budget.states,
        None if progress is None else lambda result, frontier: progress(rung, result, frontier),
        stop_at_finding=len(names) == 1 and not lively,
        out_of_memory=lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 > budget.memory,
    )
    possible = frozenset(_action(p.name, r.name) for p in system.processes for r in p.rules)
    misses = dict(core.tables.misses.most_common(10))
    taken = time.perf_counter() - started
    return core, RungReport(rung, result, taken, frozenset(names), possible, misses, core.tables.rule_calls)


def judge(core: Core, properties: Sequence[AnyProperty], rung: Rung) -> dict[str, Counterexample]:
    """The counterexamples that an exploration holds, each rebuilt by the plain step."""
    found: dict[str, Counterexample] = {}
    for finding in core.result.findings:
        parts = [each for each in properties if each.name == finding.property]
        found[finding.property] = _from_finding(core, finding, parts, rung)
    lively = [each for each in properties if isinstance(each, (Convergence, Recoverable))]
    judged = core.result.complete or core.result.states <= LARGEST_OPEN
    if lively and judged and core.result.stopped != INTERRUPTED:
        liveness = Liveness(core)
        for prop in lively:
            lasso = None
            if prop.name in found:
                continue
            if isinstance(prop, Convergence):
                lasso = liveness.convergence(prop)
            elif core.result.complete:
                lasso = liveness.recoverable(prop)
            if lasso is not None:
                found[prop.name] = _from_lasso(core, lasso, isinstance(prop, Convergence), rung)
    return found


def _from_finding(core: Core, finding: Finding, parts: Sequence[AnyProperty], rung: Rung) -> Counterexample:
    """A run to the state that was found, and with the step that was found, if it is a step."""
    moves = moves_along(core, states_to(core, finding.state))
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


def _from_lasso(core: Core, lasso: Lasso, loops: bool, rung: Rung) -> Counterexample:
    stem = states_to(core, lasso.entry)
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
    was explored to its end.
    """
    lively = isinstance(prop, (Convergence, Recoverable))
    fairness = "weak" if isinstance(prop, Convergence) else "none"

    def verdict(name: str, note: str = "") -> PropertyReport:
        return PropertyReport(prop.name, prop.says, name, counterexample, note, fairness)

    if counterexample is not None:
        return verdict(VIOLATED)
    judged = {each.rung: each for each in rungs if prop.name in each.judged}
    open_ones = [
        f"{rung_name(rung)}: {judged[rung].stopped if rung in judged else STOPPED_BY[NEVER_STARTED]}"
        for rung in claimed
        if rung not in judged or not judged[rung].result.complete
    ]
    limits = f"not explored to the end: {'; '.join(open_ones)}"
    counted = [each for each in judged.values() if each.result.complete or not lively]
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
