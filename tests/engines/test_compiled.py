"""The compiled engine takes over and changes nothing: the same states, steps, levels, counts and findings."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from tests.engines.toys import two_phase_commit
from tests.scenarios import LARGER, TABLE

from kythera.model.system import System
from kythera.properties.catalogue import applicable
from kythera.properties.engines import codec
from kythera.properties.engines.core import Core, compiled_available
from kythera.properties.engines.path import moves_along, states_to
from kythera.properties.property import AnyProperty, Invariant

pytestmark = pytest.mark.skipif(not compiled_available(), reason="Numba is not installed")

INFINITE = float("inf")
EVERYTHING = {**TABLE, **LARGER}


def both(system: System, properties: list[AnyProperty], large: int = 1, max_states: int = 1 << 60) -> tuple[Core, Core]:
    """The same exploration without and with the compiled engine."""
    found = []
    for number in (INFINITE, large):
        core = Core(system, properties, number)
        core.run(max_states=max_states)
        found.append(core)
    assert found[0].compiled is None
    assert found[1].compiled is not None
    return found[0], found[1]


def summary(core: Core) -> tuple[Any, ...]:
    """What has to be equal."""
    result = core.result
    return (
        result.states, result.transitions, result.depth, result.stopped, dict(result.fired), result.applied,
        {each.property for each in result.findings}, [len(level) for level in core.levels],
    )  # fmt: skip


def rows(core: Core) -> list[set[Any]]:
    """The levels as whole rows of values."""
    return [{core.tables.codec.decode(state) for state in level} for level in core.levels]


@pytest.mark.parametrize("large", [1, 100, 10_000])
@pytest.mark.parametrize("participants", [3, 5, 7])
def test_two_phase_commit_has_the_same_states(participants: int, large: int) -> None:
    states = {3: 288, 5: 8832, 7: 296448}[participants]
    if large >= states:
        pytest.skip("it never takes over")
    core, compiled = both(two_phase_commit(participants), [], large)
    assert compiled.result.states == states
    assert summary(core) == summary(compiled)


@pytest.mark.parametrize("name", EVERYTHING)
def test_real_systems_have_the_same_states(name: str) -> None:
    asked = EVERYTHING[name]()
    properties = applicable(asked.system, asked.objects, asked.scenario, asked.rung)
    core, compiled = both(asked.system, properties)
    assert summary(core) == summary(compiled)
    assert rows(core) == rows(compiled)


def test_states_of_more_than_one_word_are_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = LARGER["three equal nodes, caches lag"]()
    core, narrow = both(asked.system, [])
    needed = codec.Codec.needed
    monkeypatch.setattr(codec.Codec, "needed", lambda self: [(f, bits + 12 * (bits > 0)) for f, bits in needed(self)])
    wide = both(asked.system, [])[1]
    assert narrow.compiled is not None
    assert wide.compiled is not None
    assert wide.compiled.k > narrow.compiled.k
    assert rows(wide) == rows(narrow) == rows(core)


def test_its_edges_are_the_steps_of_the_tables() -> None:
    asked = LARGER["drain of a Deployment"]()
    core = Core(asked.system, [], 1)
    core.run()
    assert core.compiled is not None
    states = core.compiled.states()
    number = {state: i for i, state in enumerate(states)}
    wanted = sorted(
        (i, number[there], taken) for i, state in enumerate(states) for taken, there in core.tables.successors(state)
    )
    assert sorted(map(tuple, core.compiled.edges().tolist())) == wanted
    assert len(wanted) == core.result.transitions


def test_a_way_to_a_state_is_found_again() -> None:
    asked = LARGER["crash of a ReplicaSet's controller"]()
    core = Core(asked.system, [], 10)
    core.run()
    last = core.levels[-1][0]
    states = states_to(core, last)
    assert len(states) == core.result.depth + 1
    assert core.tables.codec.decode(states[0]) == asked.system.initial
    moves = moves_along(core, states)
    assert moves[-1].row == core.tables.codec.decode(last)
    assert all(a != b for a, b in pairwise(states))


def test_an_invariant_that_fails_late_is_found_in_its_level() -> None:
    never = Invariant(
        name="never-committed", says="", source="", breaks="", slots=("manager",),
        broken=lambda manager: "committed" if manager == "committed" else None,
    )  # fmt: skip
    core, compiled = both(two_phase_commit(5), [never])
    (slow,), (fast,) = core.result.findings, compiled.result.findings
    depth = [slow.state in set(level) for level in core.levels].index(True)
    assert [fast.state in set(level) for level in compiled.levels].index(True) == depth


def test_it_stops_at_bounds() -> None:
    core = Core(two_phase_commit(7), [], 100)
    assert core.run(max_states=20_000).stopped == "states"
    assert 20_000 < core.result.states < 296_448
    assert sum(map(len, core.levels)) == core.result.states
    core = Core(two_phase_commit(7), [], 100)
    assert core.run(out_of_memory=lambda: core.compiled is not None).stopped == "memory"
    told: list[int] = []
    core = Core(two_phase_commit(5), [], 100)
    core.run(progress=lambda result, left: told.append(result.states))
    assert told == sorted(told)
    assert told[-1] == 8832
