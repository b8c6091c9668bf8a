"""The verdict on a property follows from what was covered on which rung."""

from __future__ import annotations

from typing import Any

import pytest

from kythera.model.scenarios.scenario import NO_FAULTS, Faults, Rung
from kythera.properties.engines.result import Exploration
from kythera.properties.property import (
    FAIRNESS,
    HOLDS,
    INCONCLUSIVE,
    VACUOUS,
    VIOLATED,
    WITHIN_BOUNDS,
    Convergence,
    Invariant,
)
from kythera.traces.report import Counterexample, RungReport, verdict_of

COARSE = Rung("coarse", NO_FAULTS)
FINE = Rung("fine", Faults(crash=1))
WORDS: dict[str, Any] = {"name": "p", "says": "p holds", "source": "", "breaks": "", "slots": ()}
SAFE = Invariant(**WORDS, broken=lambda: None)
CHANCY = Invariant(**WORDS, broken=lambda: None, applies=lambda: True)
LIVELY = Convergence(**WORDS, missing=lambda: None)
LIVELY_CHANCY = Convergence(**WORDS, missing=lambda: None, applies=lambda: True)


def covered(rung: Rung, stopped: str = "", applied: bool = True) -> RungReport:
    result = Exploration(states=10, stopped=stopped, applied={"p"} if applied else set())
    return RungReport(rung, result, 0.1, frozenset({"p"}))


@pytest.mark.parametrize(
    ("prop", "rungs", "verdict"),
    [
        (SAFE, [covered(COARSE), covered(FINE)], HOLDS),
        (LIVELY, [covered(COARSE), covered(FINE)], HOLDS),
        (SAFE, [covered(COARSE), covered(FINE, "time")], WITHIN_BOUNDS),
        (SAFE, [covered(COARSE, "states")], WITHIN_BOUNDS),
        (SAFE, [covered(COARSE)], WITHIN_BOUNDS),
        (LIVELY, [covered(COARSE), covered(FINE, "time")], WITHIN_BOUNDS),
        (LIVELY, [covered(COARSE, "time"), covered(FINE, "time")], INCONCLUSIVE),
        (LIVELY, [covered(COARSE, "interrupted")], INCONCLUSIVE),
        (SAFE, [], INCONCLUSIVE),
        (CHANCY, [covered(COARSE, applied=False), covered(FINE, applied=False)], VACUOUS),
        (CHANCY, [covered(COARSE, applied=False), covered(FINE, "time", applied=False)], INCONCLUSIVE),
        (CHANCY, [covered(COARSE, applied=False), covered(FINE)], HOLDS),
        (LIVELY_CHANCY, [covered(COARSE, applied=False), covered(FINE, applied=False)], VACUOUS),
        (LIVELY_CHANCY, [covered(COARSE, applied=False), covered(FINE, "time")], INCONCLUSIVE),
        (LIVELY_CHANCY, [covered(COARSE), covered(FINE, "time", applied=False)], WITHIN_BOUNDS),
    ],
)
def test_the_verdict_follows_from_what_was_covered(prop: Any, rungs: list[RungReport], verdict: str) -> None:
    assert verdict_of(prop, None, [COARSE, FINE], rungs).verdict == verdict


def test_a_rung_on_which_the_property_is_not_claimed_does_not_count() -> None:
    other = RungReport(COARSE, Exploration(states=1), 0.1, frozenset({"q"}))
    assert verdict_of(LIVELY, None, [FINE], [other, covered(FINE)]).verdict == HOLDS
    assert verdict_of(LIVELY, None, [FINE], [other]).verdict == INCONCLUSIVE


def test_a_counterexample_outweighs_everything() -> None:
    case: Any = Counterexample("p", "it broke", COARSE, None, [])  # type: ignore[arg-type]
    assert verdict_of(SAFE, case, [COARSE, FINE], [covered(COARSE, "time")]).verdict == VIOLATED


def test_the_note_names_each_rung_that_was_not_completed_and_why() -> None:
    note = verdict_of(LIVELY, None, [COARSE, FINE], [covered(COARSE)]).note
    assert "fine, crash 1, staleness lag: the time was up before it began" in note
    assert "coarse" not in note
    note = verdict_of(LIVELY, None, [COARSE, FINE], [covered(COARSE), covered(FINE, "memory")]).note
    assert "fine, crash 1, staleness lag: the memory was used up" in note


@pytest.mark.parametrize(
    ("searched", "unfinished", "verdict"),
    [(10, set(), HOLDS), (4, set(), INCONCLUSIVE), (10, {"p"}, INCONCLUSIVE), (10, {"q"}, HOLDS)],
)
def test_runs_without_end_are_excluded_only_where_they_were_looked_for(
    searched: int, unfinished: set[str], verdict: str
) -> None:
    rung = covered(COARSE)
    rung.searched, rung.unfinished = searched, frozenset(unfinished)
    found = verdict_of(LIVELY, None, [COARSE], [rung])
    assert found.verdict == verdict
    assert verdict == HOLDS or f"{'all' if searched == 10 else 'the first 4'} of its 10 states" in found.note
    assert unfinished or verdict_of(SAFE, None, [COARSE], [rung]).verdict == HOLDS


def test_it_is_said_what_a_run_without_end_is_assumed_to_be_fair_to() -> None:
    assert verdict_of(LIVELY, None, [COARSE], [covered(COARSE)]).fairness == FAIRNESS
    assert verdict_of(SAFE, None, [COARSE], [covered(COARSE)]).fairness == "none"
