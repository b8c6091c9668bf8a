"""From a finding back to the shortest run that shows it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.engines.toys import crossed_locks, line, retries, rotor, two_phase_commit

from kythera.model.rule import Action
from kythera.model.system import System
from kythera.properties.engines import plain
from kythera.properties.engines.core import Core
from kythera.properties.engines.path import moves_along, states_to
from kythera.properties.property import Invariant, StepInvariant

WORDS: dict[str, Any] = {"name": "p", "says": "", "source": "", "breaks": ""}
LARGE = (float("inf"), 1)


@pytest.mark.parametrize("large", LARGE)
@pytest.mark.parametrize("participants", [1, 3, 5])
def test_a_step_that_breaks_a_property_is_found_by_the_shortest_way(participants: int, large: float) -> None:
    """Everybody prepares, the manager hears of everybody, and commits: 2 n + 1 steps, and none fewer."""

    def broken(before: tuple[str], after: tuple[str], action: Action) -> str | None:
        return f"{action.rule} makes it {after[0]}" if after[0] == "committed" != before[0] else None

    prop = StepInvariant(**WORDS, slots=("manager",), broken=broken)
    core = Core(two_phase_commit(participants), [prop], large)
    (finding,) = core.run(stop_at_finding=True).findings
    states = states_to(core, finding.state)
    assert len(states) == 2 * participants + 1
    assert finding.message == "commit makes it committed"
    (move,) = moves_along(core, [finding.state, finding.successor])
    assert move.action.rule == "commit"
    slow, depths = plain.explore(two_phase_commit(participants), [prop])
    assert depths[slow.findings[0].state] == 2 * participants


@pytest.mark.parametrize("large", LARGE)
@pytest.mark.parametrize(("value", "steps"), [(0, 0), (1, 1), (17, 17)])
def test_a_state_that_breaks_a_property_is_found_by_the_shortest_way(value: int, steps: int, large: float) -> None:
    prop = Invariant(**WORDS, slots=("number",), broken=lambda number: f"it is {number}" if number == value else None)
    core = Core(line(20), [prop], large)
    (finding,) = core.run().findings
    assert finding.message == f"it is {value}"
    assert len(states_to(core, finding.state)) - 1 == steps


@pytest.mark.parametrize("large", LARGE)
@pytest.mark.parametrize("system", [two_phase_commit(2), crossed_locks(), retries(3), rotor(3, frozenset({1}))])
def test_the_way_to_each_state_is_as_long_as_the_plain_engine_says(system: System, large: float) -> None:
    core = Core(system, [], large)
    core.run()
    _, depths = plain.explore(system)
    for level in core.levels:
        for state in level:
            states = states_to(core, state)
            moves = moves_along(core, states)
            row = core.tables.codec.decode(state)
            assert len(moves) == depths[row]
            rows = [system.initial, *(move.row for move in moves)]
            assert rows[-1] == row
            assert all(move in list(system.moves(before)) for before, move in zip(rows[:-1], moves, strict=True))
