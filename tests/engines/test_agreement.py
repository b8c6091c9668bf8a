"""Every engine gives the same answer to every scenario of the table: states, steps, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import pytest
from tests.engines.oracle import PlainGraph
from tests.scenarios import TABLE

from kythera.model.symmetry import Row
from kythera.properties.catalogue import applicable
from kythera.properties.engines import plain
from kythera.properties.engines.core import Core, compiled_available
from kythera.properties.engines.liveness import Liveness
from kythera.properties.engines.path import moves_along, states_to
from kythera.properties.engines.result import Exploration
from kythera.properties.property import AnyProperty, Convergence
from kythera.properties.statement import Question

INFINITE = float("inf")
MOST_STATES = 3_000


@dataclass
class Answer:
    """What an engine says of a scenario."""

    result: Exploration
    rows: dict[Row, int]
    violated: set[str]


def properties_of(asked: Question) -> list[AnyProperty]:
    """All properties that apply."""
    return applicable(asked.system, asked.objects, asked.scenario, asked.rung)


@cache
def explored(name: str, large: float) -> tuple[Core, Answer]:
    """What the core engine says, or the compiled one from so many states on."""
    asked = TABLE[name]()
    properties = properties_of(asked)
    core = Core(asked.system, properties, large)
    result = core.run(max_states=MOST_STATES)
    assert result.complete, f"more than {MOST_STATES} states"
    decode = core.tables.codec.decode
    rows = {decode(state): depth for depth, level in enumerate(core.levels) for state in level}
    violated = {finding.property for finding in result.findings}
    liveness = Liveness(core)
    for prop in properties:
        if isinstance(prop, Convergence):
            lasso = liveness.convergence(prop)
            if lasso is not None:
                violated.add(prop.name)
                moves = moves_along(core, states_to(core, lasso.entry))
                assert len(moves) == rows[decode(lasso.entry)]
    return core, Answer(result, rows, violated)


@pytest.mark.parametrize("name", TABLE)
def test_the_core_engine_agrees_with_the_plain_one(name: str) -> None:
    """Also about what is wrong, and how far from the beginning."""
    asked = TABLE[name]()
    slow, rows = plain.explore(asked.system, properties_of(asked), MOST_STATES)
    core, fast = explored(name, INFINITE)
    assert (fast.result.states, fast.result.transitions, fast.result.depth) == (
        slow.states,
        slow.transitions,
        slow.depth,
    )
    assert fast.result.fired == slow.fired
    assert fast.rows == rows
    decode = core.tables.codec.decode
    depths = {finding.property: fast.rows[decode(finding.state)] for finding in fast.result.findings}
    assert depths == {finding.property: rows[finding.state] for finding in slow.findings}


@pytest.mark.skipif(not compiled_available(), reason="Numba is not installed")
@pytest.mark.parametrize("name", TABLE)
def test_the_compiled_engine_agrees_with_the_core_one(name: str) -> None:
    _, slow = explored(name, INFINITE)
    core, fast = explored(name, 1)
    assert core.compiled is not None
    assert (fast.result.states, fast.result.transitions) == (slow.result.states, slow.result.transitions)
    assert fast.result.fired == slow.result.fired
    assert fast.rows == slow.rows
    assert fast.violated == slow.violated


@pytest.mark.parametrize("name", TABLE)
def test_liveness_agrees_with_the_plain_graph_where_nothing_is_exchanged(name: str) -> None:
    """The table's answers, with symmetry and memo tables, are those of a graph of plain steps without either."""
    asked = TABLE[name](symmetry=False)
    graph = PlainGraph(asked.system)
    _, answer = explored(name, INFINITE)
    lively = [prop for prop in properties_of(asked) if isinstance(prop, Convergence)]
    names = {prop.name for prop in lively}
    assert {prop.name for prop in lively if graph.violates(prop)} == {name for name in answer.violated if name in names}
