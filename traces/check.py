"""The main job: climb the ladder, judge every property on every rung, keep the shortest trace of each violation."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from kythera.model.scenarios.compile import compile_system
from kythera.model.scenarios.loader import Loaded
from kythera.model.scenarios.scenario import Rung, ladder
from kythera.model.system import Move, System
from kythera.properties.catalogue import applicable
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

Progress = Callable[[Rung, Exploration, int], None]


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
    """What was covered on one rung."""

    rung: Rung
    result: Exploration
    seconds: float
    never_fired: tuple[str, ...] = ()
    misses: dict[str, int] = field(default_factory=dict)
    calls: int = 0


@dataclass(slots=True)
class PropertyReport:
    """The verdict on one property, over all rungs."""

    property: AnyProperty
    verdict: str
    counterexample: Counterexample | None = None
    note: str = ""


@dataclass(slots=True)
class Report:
    """The answer to a scenario."""

    loaded: Loaded
    properties: list[PropertyReport]
    rungs: list[RungReport]
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)

    @property
    def never_fired(self) -> list[str]:
        """The actions that no rung ever took, although they were there to be taken."""
        possible = [set(each.never_fired) for each in self.rungs]
        return sorted(set.intersection(*possible)) if possible else []

    @property
    def verdict(self) -> str:
        """The worst of the properties' verdicts."""
        return worst([each.verdict for each in self.properties])


@dataclass(frozen=True, slots=True)
class Budget:
    """What a check may spend: seconds in all, distinct states per rung, bytes of memory."""

    seconds: float = 60.0
    states: int = 50_000_000
    memory: int = 16 << 30


def check(loaded: Loaded, budget: Budget = Budget(), progress: Progress | None = None) -> Report:
    """Climb the ladder of a scenario within a budget."""
    started = time.perf_counter()
    found: dict[str, Counterexample] = {}
    rungs: list[RungReport] = []
    explored: list[tuple[Exploration, set[str]]] = []
    properties: dict[str, AnyProperty] = {}
    steps = ladder(loaded.scenario)
    for number, rung in enumerate(steps):
        left = budget.seconds - (time.perf_counter() - started)
        if rungs and left <= 0.02 * budget.seconds:
            break
        share = left if number == len(steps) - 1 else left / 2
        system = compile_system(loaded.objects, loaded.scenario, rung)
        wanted = applicable(system, loaded.objects, loaded.scenario, rung)
        properties.update({each.name: each for each in wanted})
        open_ones = [each for each in wanted if each.name not in found]
        core, report = explore(system, open_ones, rung, share, budget, progress)
        rungs.append(report)
        found.update(judge(core, open_ones, rung))
        explored.append((core.result, {each.name for each in wanted}))
        if report.result.stopped == "interrupted" or (properties and set(properties) <= set(found)):
            break
    reports = [_verdict(each, found.get(each.name), rungs, explored, len(steps)) for each in properties.values()]
    return Report(loaded, reports, rungs, time.perf_counter() - started)


def explore(
    system: System,
    properties: Sequence[AnyProperty],
    rung: Rung,
    seconds: float,
    budget: Budget,
    progress: Progress | None = None,
) -> tuple[Core, RungReport]:
    """Explore one rung; a third of the time is kept for the judgement of liveness."""
    started = time.perf_counter()
    core = Core(system, properties)
    lively = any(isinstance(each, (Convergence, Recoverable)) for each in properties)
    result = core.run(
        seconds * (2 / 3 if lively else 1.0),
        budget.states,
        None if progress is None else lambda result, frontier: progress(rung, result, frontier),
        out_of_memory=lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 > budget.memory,
    )
    everything = {(p.name, r.name) for p in system.processes for r in p.rules}
    never = sorted(f"{p}.{r}" for p, r in everything - set(result.fired))
    misses = dict(core.tables.misses.most_common(10))
    return core, RungReport(rung, result, time.perf_counter() - started, tuple(never), misses, core.tables.rule_calls)


def judge(core: Core, properties: Sequence[AnyProperty], rung: Rung) -> dict[str, Counterexample]:
    """The counterexamples that an exploration holds, each rebuilt by the plain step."""
    found: dict[str, Counterexample] = {}
    for finding in core.result.findings:
        parts = [each for each in properties if each.name == finding.property]
        found[finding.property] = _from_finding(core, finding, parts, rung)
    lively = [each for each in properties if isinstance(each, (Convergence, Recoverable))]
    if lively and core.result.stopped != "interrupted":
        liveness = Liveness(core)
        for prop in lively:
            lasso = None
            if isinstance(prop, Convergence):
                lasso = liveness.convergence(prop)
            elif core.result.complete:
                lasso = liveness.recoverable(prop)
            if lasso is not None and prop.name not in found:
                found[prop.name] = _from_lasso(core, lasso, isinstance(prop, Convergence), rung)
    return found


def _from_finding(core: Core, finding: Finding, parts: Sequence[AnyProperty], rung: Rung) -> Counterexample:
    moves = moves_along(core, states_to(core, finding.state))
    if isinstance(parts[0], StepInvariant):
        row = core.tables.codec.decode(finding.state)
        moves.append(
            next(m for m in core.system.moves(row) if any(breaks(core.system, part, row, m) for part in parts))
        )
    return Counterexample(finding.property, finding.message, rung, core.system, moves)


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
    moves = moves_along(core, [*stem, *lasso.cycle])
    return Counterexample(lasso.property, lasso.message, rung, core.system, moves, len(stem) - 1 if loops else None)


def _verdict(
    prop: AnyProperty,
    counterexample: Counterexample | None,
    rungs: Sequence[RungReport],
    explored: Sequence[tuple[Exploration, set[str]]],
    wanted: int,
) -> PropertyReport:
    """The honest verdict: what was seen on the rungs where the property was judged."""
    if counterexample is not None:
        return PropertyReport(prop, VIOLATED, counterexample)
    mine = [result for result, names in explored if prop.name in names]
    complete = len(rungs) == wanted and all(result.complete for result in mine)
    chance = prop.applies is None or any(prop.name in result.applied for result in mine)
    if isinstance(prop, (Convergence, Recoverable)) and not complete:
        finished = [each for each in rungs if each.result.complete]
        if not finished:
            return PropertyReport(prop, INCONCLUSIVE, None, "no rung was explored to its end")
        if not chance:
            return PropertyReport(prop, VACUOUS, None, "it never had a chance to fail")
        return PropertyReport(prop, WITHIN_BOUNDS, None, f"on {len(finished)} of {wanted} rungs")
    if not chance:
        return PropertyReport(prop, VACUOUS if complete else INCONCLUSIVE, None, "it never had a chance to fail")
    return PropertyReport(prop, HOLDS if complete else WITHIN_BOUNDS)
