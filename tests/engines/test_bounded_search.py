"""Runs without end in explorations that were stopped, and under budgets that end: there is never a false answer."""

from __future__ import annotations

import sys
from itertools import count
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engines.oracle import PlainGraph
from tests.engines.test_liveness import assert_is_a_fair_run, gets_to, never_for_ever
from tests.engines.toys import Walker, labyrinth, line, ring, rotor, two_phase_commit

from kythera.properties.engines import graph as graphs
from kythera.properties.engines.core import Core, compiled_available
from kythera.properties.engines.deadline import Deadline, OutOfTime
from kythera.properties.engines.liveness import Liveness

INFINITE = float("inf")
LARGE = pytest.mark.parametrize("large", [INFINITE, pytest.param(1, marks=pytest.mark.skipif(
    not compiled_available(), reason="Numba is not installed"
))])  # fmt: skip


@pytest.fixture(autouse=True)
def looks_at_the_clock_at_each_state(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphs, "ASKED", 1)
    monkeypatch.setattr(graphs, "SMALLEST_CHUNK", 1)
    monkeypatch.setattr(graphs, "LARGEST_CHUNK", 1)


def looks(seconds: float) -> Deadline:
    """A deadline by a clock that says one second more each time it is looked at."""
    ticks = count()
    return Deadline(seconds, lambda: float(next(ticks)))


def explored(system: Any, large: float, **bounds: Any) -> Core:
    core = Core(system, [], large)
    core.run(**bounds)
    return core


def test_a_deadline_is_over_when_its_time_is_up() -> None:
    now = [0.0]
    told: list[str] = []
    deadline = Deadline(10, lambda: now[0], told.append)
    half = deadline.part(0.5)
    assert (deadline.left(), half.left()) == (10, 5)
    now[0] = 6.0
    assert (half.over("this"), deadline.over("that")) == (True, False)
    half.check(grace=2)
    with pytest.raises(OutOfTime):
        half.check()
    assert told[:2] == ["this", "that"]


@LARGE
@pytest.mark.parametrize("states", [5, 20, 41])
def test_a_cycle_inside_of_a_stopped_exploration_is_found(large: float, states: int) -> None:
    """The door of the ring may be opened by a user: the token goes round, and that is seen before all is."""
    core = explored(ring(20, fair=False), large, max_states=2 * states)
    liveness = Liveness(core)
    lasso = liveness.convergence(gets_to("door", "open"))
    assert (lasso is not None) == (states >= 20)
    if lasso is not None:
        assert len(lasso.cycle) == 20
        assert_is_a_fair_run(core, lasso)
        assert [liveness.way_to(lasso)[0], liveness.way_to(lasso)[-1]] == [core.levels[0][0], lasso.entry]


@LARGE
def test_the_last_states_of_a_stopped_exploration_are_no_ends(large: float) -> None:
    for states in range(1, 40):
        liveness = Liveness(explored(line(40), large, max_states=states))
        assert liveness.convergence(gets_to("number", 40)) is None
        assert not liveness.whole


@LARGE
@pytest.mark.parametrize("fair", [True, False])
def test_a_search_that_runs_out_of_time_says_so_and_nothing_false(large: float, fair: bool) -> None:
    core = explored(ring(6, fair), large)
    answers = set()
    for seconds in range(0, 400, 3):
        liveness = Liveness(core, looks(seconds))
        lasso = liveness.convergence(gets_to("door", "open"))
        if lasso is not None:
            answers.add("found")
            assert_is_a_fair_run(core, lasso)
        elif liveness.whole and not liveness.unfinished:
            answers.add("none")
        else:
            answers.add("unknown")
    assert answers == ({"none", "unknown"} if fair else {"found", "unknown"})


@LARGE
def test_a_part_of_a_graph_has_the_steps_between_its_states(large: float) -> None:
    core = explored(two_phase_commit(2), large)
    whole = graphs.build(core)
    for seconds in range(0, 160, 7):
        graph = graphs.build(core, looks(seconds))
        size = len(graph.states)
        assert 1 <= size <= len(whole.states) == graph.known
        assert list(graph.states) == list(whole.states)[:size]
        wanted = [step for step in steps(whole) if max(step[:2]) < size]
        assert steps(graph) == wanted
        assert [graph.owed(state) for state in range(size)] == [whole.owed(state) for state in range(size)]
        for state in range(size):
            assert [step[0] for step in steps(graph)[graph.first[state] : graph.first[state + 1]]] == [
                state for step in wanted if step[0] == state
            ]


def steps(graph: graphs.Graph) -> list[tuple[int, int, int]]:
    return sorted(zip(graph.source, graph.target, graph.action, strict=True))


def test_without_numpy_it_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    core = explored(two_phase_commit(2), INFINITE)
    with_it = graphs.build(core, looks(60))
    ways, cycles = [with_it.way_to(state) for state in range(len(with_it.states))], cycles_of(with_it)
    for name in ("numpy", "scipy.sparse"):
        monkeypatch.setitem(sys.modules, name, None)
    without = graphs.build(core, looks(60))
    assert steps(without) == steps(with_it)
    assert without.first == with_it.first
    assert [without.way_to(state) for state in range(len(without.states))] == ways
    assert cycles_of(without) == cycles
    assert [len(cycle) for cycle in cycles_of(graphs.build(explored(ring(5), INFINITE)))] == [5, 5]


def cycles_of(graph: graphs.Graph) -> list[list[int]]:
    return sorted(graphs.cyclic(graph, graphs.components(graph)).values())


@LARGE
def test_what_is_possible_is_known_of_states_that_were_not_expanded(large: float) -> None:
    whole = explored(two_phase_commit(3), INFINITE)
    decode = whole.tables.codec.decode
    graph = graphs.build(whole)
    possible = {decode(state): names(whole, graph.owed(n)) for n, state in enumerate(graph.states)}
    for states in (1, 10, 60, 200):
        core = explored(two_phase_commit(3), large, max_states=states)
        part = graphs.build(core)
        assert len(part.states) == core.result.states
        for n, state in enumerate(part.states):
            assert names(core, part.owed(n)) == possible[core.tables.codec.decode(state)]


def names(core: Core, actions: frozenset[int]) -> set[Any]:
    return {core.tables.actions[each] for each in actions}


@LARGE
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_random_graphs_are_never_judged_falsely(large: float, data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 7))
    ways = st.tuples(*[st.lists(st.integers(0, size - 1), max_size=2, unique=True).map(tuple)] * size)
    rules, actors = st.sampled_from(["go", "learn", "decide", "send"]), st.sampled_from(["component", "user"])
    walker = st.builds(Walker, rules, actors, ways, st.integers(0, 2))
    system = labyrinth(data.draw(st.lists(walker, min_size=1, max_size=4, unique_by=lambda each: each.unit)))
    bad = data.draw(st.integers(0, size - 1))
    core = explored(system, large, max_states=data.draw(st.integers(1, 8)))
    graph = PlainGraph(system)
    for prop in (
        gets_to("place", *(place for place in range(size) if place != bad)),
        never_for_ever("place", lambda before, after, action: before == bad and action.process == "walker0"),
    ):
        liveness = Liveness(core, looks(data.draw(st.one_of(st.integers(0, 60), st.just(10_000)))))
        lasso = liveness.convergence(prop)
        if lasso is not None:
            assert_is_a_fair_run(core, lasso)
            assert graph.violates(prop)
        elif liveness.whole and prop.name not in liveness.unfinished:
            assert not graph.violates(prop)


def test_an_interruption_ends_the_search() -> None:
    def stop(_: str) -> None:
        raise KeyboardInterrupt

    core = explored(rotor(3, frozenset()), INFINITE)
    with pytest.raises(KeyboardInterrupt):
        Liveness(core, Deadline(watch=stop))
