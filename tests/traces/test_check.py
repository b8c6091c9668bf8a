"""Climbing the ladder: what is found on which rung, and what happens when a budget ends."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

from tests.systems import budget, deployment, event, node, replica_set
from tests.traces.small import loaded, one_pod

from kythera.model.scenarios.scenario import NO_FAULTS, Faults, Rung
from kythera.properties.property import (
    HOLDS,
    INCONCLUSIVE,
    VACUOUS,
    VIOLATED,
    WITHIN_BOUNDS,
)
from kythera.traces.check import Budget, check
from kythera.traces.report import Report


def looked_at() -> Callable[[], float]:
    """A clock that says a tenth of a second more each time it is looked at."""
    ticks = itertools.count()
    return lambda: next(ticks) / 10


def test_a_budget_that_ends_anywhere_gives_no_false_verdict() -> None:
    documents = [node("n1"), node("n2"), replica_set(1), budget(minAvailable=1)]
    broken = loaded(documents, events=(event("drain n1", "drain", "n1"),))
    sound = one_pod(granularity="ladder")
    verdicts: dict[str, set[str]] = {"broken": set(), "sound": set()}
    for seconds in (*range(1, 20), 40, 1000):
        answer = of(check(broken, Budget(seconds), clock=looked_at()))
        verdicts["broken"].add(answer["drains-complete"])
        answer = of(check(sound, Budget(seconds), clock=looked_at()))
        verdicts["sound"].add(answer["replicas-converge"])
    assert verdicts["broken"] == {VIOLATED, INCONCLUSIVE}
    assert verdicts["sound"] - {WITHIN_BOUNDS} == {HOLDS, INCONCLUSIVE}


def test_some_of_the_time_is_kept_for_runs_without_end() -> None:
    """Time stands still but for the exploration: it ends in time for the search."""
    now = [0.0]

    def progress(text: str) -> None:
        now[0] += 1.0 if "frontier" in text else 0.0

    asked = loaded([node("n1"), node("n2"), replica_set(2)], granularity="fine", faults=Faults(crash=1))
    (rung,) = check(asked, Budget(10.0), progress, clock=lambda: now[0]).rungs
    assert rung.result.stopped == "time"
    assert 6 <= now[0] <= 8
    assert rung.searched is not None
    assert 0 < rung.searched <= rung.result.states


def of(report: Report) -> dict[str, str]:
    return {each.name: each.verdict for each in report.properties}


def test_a_cluster_that_works_holds() -> None:
    report = check(one_pod())
    assert set(of(report).values()) == {HOLDS}
    assert report.verdict == HOLDS
    assert [each.rung for each in report.rungs] == [Rung("coarse", NO_FAULTS)]


def test_a_rollout_to_a_version_that_can_never_run_holds_with_the_reason_why_nothing_is_claimed() -> None:
    events = (event("rollout", "apply", manifest=deployment(1, cpu="64")),)
    report = check(loaded([node("n1"), node("n2"), deployment(1)], events=events))
    converges = next(each for each in report.properties if each.name == "deployment-converges")
    assert converges.verdict == HOLDS
    assert converges.note == "not claimed where it cannot be: Deployment web: a pod of it fits on no node"


def test_the_ladder_is_climbed_from_coarse_and_faultless_to_fine_and_faulty() -> None:
    report = check(one_pod(granularity="ladder", faults=Faults(crash=1)), Budget(seconds=5, states=500))
    climbed = [(each.rung.granularity, each.rung.faults.crash) for each in report.rungs]
    assert climbed == [("coarse", 0), ("coarse", 1), ("fine", 1)]


def test_a_bound_on_states_leaves_safety_within_bounds_and_liveness_open() -> None:
    report = check(one_pod(), Budget(states=5))
    verdicts = of(report)
    assert verdicts["resource-fit"] in (WITHIN_BOUNDS, INCONCLUSIVE)
    assert verdicts["replicas-converge"] == INCONCLUSIVE
    assert report.verdict == INCONCLUSIVE


def test_liveness_that_was_judged_on_the_first_rungs_only_holds_within_bounds() -> None:
    asked = one_pod(granularity="ladder")
    rungs = check(asked).rungs
    assert rungs[0].result.states < rungs[-1].result.states
    # States are counted after each level: a bound that the first rung just keeps and the last one does not.
    report = check(asked, Budget(states=rungs[0].result.states))
    converges = next(each for each in report.properties if each.name == "replicas-converge")
    assert converges.verdict == WITHIN_BOUNDS
    assert "fine" in converges.note


def test_a_violation_comes_with_the_run_that_shows_it() -> None:
    documents = [node("n1"), node("n2"), replica_set(1), budget(minAvailable=1)]
    report = check(loaded(documents, events=(event("drain n1", "drain", "n1"),)))
    assert report.verdict == VIOLATED
    case = next(each.counterexample for each in report.properties if each.name == "drains-complete")
    assert case is not None
    assert case.loop_from == len(case.moves), "it stays for ever where nobody can act"
    row = case.system.initial
    for move in case.moves:
        assert any(each.row == move.row for each in case.system.moves(row))
        row = move.row


def test_a_property_that_is_asked_for_and_cannot_fail_is_vacuous() -> None:
    report = check(one_pod(properties=("drains-complete",)))
    assert of(report) == {"drains-complete": VACUOUS}
    assert report.verdict == VACUOUS


def test_nothing_to_check_is_vacuous_and_never_holds() -> None:
    assert check(loaded([node("n1")], properties=())).verdict == VACUOUS


def test_the_budget_is_kept() -> None:
    started = time.perf_counter()
    report = check(
        loaded([node("n1"), node("n2"), replica_set(2)], granularity="fine", faults=Faults(crash=1)), Budget(1)
    )
    assert time.perf_counter() - started < 5
    assert report.rungs[0].result.stopped == "time"
    assert report.verdict == INCONCLUSIVE


def test_the_first_violation_ends_the_search_for_a_single_property_of_safety() -> None:
    asked = one_pod(properties=("resource-fit",))
    assert check(asked).verdict == HOLDS


def test_an_interruption_gives_what_is_known_so_far() -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    report = check(one_pod(granularity="ladder", faults=Faults(crash=1)), progress=interrupt)
    assert [each.result.stopped for each in report.rungs] == ["interrupted"]
    assert of(report)["replicas-converge"] == INCONCLUSIVE
    assert report.verdict == INCONCLUSIVE


def test_a_property_of_a_rung_that_was_never_reached_is_in_the_report() -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    asked = loaded([node("n1"), node("n2"), replica_set(1)], granularity="ladder", faults=Faults(crash=1))
    report = check(asked, progress=interrupt)
    reached = {name for each in report.rungs for name in each.judged}
    assert set(of(report)) >= reached
    assert all(verdict == INCONCLUSIVE for name, verdict in of(report).items() if name not in reached)


def test_an_action_that_was_taken_on_any_rung_is_not_called_never_fired() -> None:
    report = check(one_pod(granularity="ladder"))
    fired = frozenset().union(*(each.fired for each in report.rungs))
    assert "replicaset.work" in fired
    assert not fired & set(report.never_fired)
