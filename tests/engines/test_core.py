"""The core engine against known answers, and against the plain engine on real systems."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.engines.toys import two_phase_commit

from kythera.model.scenarios.compile import compile_system
from kythera.model.scenarios.loader import load
from kythera.model.scenarios.scenario import NO_FAULTS, Faults, Rung
from kythera.properties.engines import plain
from kythera.properties.engines.core import Core

EXAMPLES = Path(__file__).parents[2] / "examples"
RUNGS = (Rung("coarse", NO_FAULTS), Rung("coarse", Faults(crash=0)))


@pytest.mark.parametrize(("participants", "states", "steps"), [(3, 288, 761), (5, 8832, 37345), (6, 50816, 256001)])
def test_two_phase_commit_has_the_published_number_of_states(participants: int, states: int, steps: int) -> None:
    result = Core(two_phase_commit(participants)).run()
    assert (result.states, result.transitions, result.complete) == (states, steps, True)


def test_the_plain_engine_counts_the_same() -> None:
    result, _ = plain.explore(two_phase_commit(3))
    assert (result.states, result.transitions) == (288, 761)


@pytest.mark.parametrize("example", ["drain-blocked-by-budget", "apply-resets-autoscaler", "hpa-with-soft-spread"])
def test_core_and_plain_agree_on_real_systems(example: str) -> None:
    loaded = load([EXAMPLES / f"{example}.yaml"])
    system = compile_system(loaded.objects, loaded.scenario, RUNGS[0])
    slow, _ = plain.explore(system)
    fast = Core(system).run()
    assert (fast.states, fast.transitions, fast.depth) == (slow.states, slow.transitions, slow.depth)
    assert fast.rule_calls < slow.states * len(system.processes)
