"""The core engine against known answers, and against the plain engine on real systems."""

from __future__ import annotations

import pytest
from tests.engines.toys import ring, two_phase_commit
from tests.scenarios import LARGER, TABLE

from kythera.model.system import System
from kythera.properties.catalogue import applicable
from kythera.properties.engines import plain
from kythera.properties.engines.core import Core

INFINITE = float("inf")
EVERYTHING = {**TABLE, **LARGER}


@pytest.mark.parametrize(
    ("participants", "states", "steps"), [(3, 288, 761), (5, 8832, 37345), (6, 50816, 256001), (7, 296448, 1735809)]
)
def test_two_phase_commit_has_the_published_number_of_states(participants: int, states: int, steps: int) -> None:
    result = Core(two_phase_commit(participants), large=INFINITE).run()
    assert (result.states, result.transitions, result.complete) == (states, steps, True)


@pytest.mark.parametrize("toy", [two_phase_commit(3), two_phase_commit(5), ring(7)], ids=lambda toy: toy.name)
def test_the_plain_engine_counts_the_same(toy: System) -> None:
    slow, _ = plain.explore(toy)
    fast = Core(toy, large=INFINITE).run()
    assert (fast.states, fast.transitions, fast.depth) == (slow.states, slow.transitions, slow.depth)
    assert fast.fired == slow.fired


@pytest.mark.parametrize("name", EVERYTHING)
def test_core_and_plain_agree_on_real_systems(name: str) -> None:
    asked = EVERYTHING[name]()
    properties = applicable(asked.system, asked.objects, asked.scenario, asked.rung)
    core = Core(asked.system, properties, large=INFINITE)
    fast = core.run(max_states=30_000)
    assert fast.complete
    slow, seen = plain.explore(asked.system, properties)
    assert (fast.states, fast.transitions, fast.depth) == (slow.states, slow.transitions, slow.depth)
    assert fast.fired == slow.fired
    assert {each.property for each in fast.findings} == {each.property for each in slow.findings}
    assert {core.tables.codec.decode(state) for level in core.levels for state in level} == set(seen)


def test_a_bound_stops_an_exploration_and_is_named() -> None:
    result = Core(two_phase_commit(6), large=INFINITE).run(max_states=10_000)
    assert result.stopped == "states"
    assert not result.complete
    assert 10_000 < result.states < 50_816


def test_a_rule_is_called_once_per_local_situation() -> None:
    result = Core(two_phase_commit(6), large=INFINITE).run()
    assert result.rule_calls < result.states / 10
