"""What is said of a scenario: the verdict on each property, what was covered on each rung, the counterexamples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from kythera.model.scenarios.loader import Loaded
from kythera.model.scenarios.scenario import Faults, Rung, Scenario
from kythera.model.system import Move, System
from kythera.properties.catalogue import CATALOGUE
from kythera.properties.engines.result import Exploration
from kythera.properties.property import (
    FAIRNESS,
    HOLDS,
    INCONCLUSIVE,
    VACUOUS,
    VIOLATED,
    WITHIN_BOUNDS,
    AnyProperty,
    Convergence,
    Recoverable,
    worst,
)

INTERRUPTED = "interrupted"
NEVER_STARTED = "not started"

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
        return frozenset(action_of(process, rule) for process, rule in self.result.fired)

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


def action_of(process: str, rule: str) -> str:
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


def reports(
    scenario: Scenario,
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
    asked = scenario.properties or ()
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
    fairness = FAIRNESS if isinstance(prop, Convergence) else "none"

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
    excuse = next((each.result.excused[prop.name] for each in counted if prop.name in each.result.excused), "")
    told = [f"not claimed where it cannot be: {excuse}"] if excuse else []
    return verdict(WITHIN_BOUNDS, "; ".join([limits, *told])) if open_ones else verdict(HOLDS, "; ".join(told))


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
