"""Liveness on models with known answers; every run that is found is checked once more, by another way of telling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engines.oracle import PlainGraph
from tests.engines.toys import (
    Walker,
    corridor,
    crossed_locks,
    labyrinth,
    line,
    mutual_exclusion,
    nursery,
    retries,
    ring,
    rotor,
    sickbed,
    ward,
)

from kythera.model.normalise import uids_in
from kythera.model.record import Map
from kythera.model.request import Ref
from kythera.model.rule import CLOCK, FAIR, Action, Process, Wake, Yields, outcome, rule
from kythera.model.slot import Slot
from kythera.model.system import ADVERSARIAL, Clock, Move, System
from kythera.properties.engines import graph as graphs
from kythera.properties.engines.core import Core
from kythera.properties.engines.fairness import cycles
from kythera.properties.engines.liveness import Lasso, Liveness
from kythera.properties.engines.path import moves_along, states_to
from kythera.properties.property import Convergence, Invariant, Recoverable

WORDS: dict[str, Any] = {"name": "p", "says": "", "source": "", "breaks": ""}
INFINITE = float("inf")


def gets_to(slot: str, *goals: Any) -> Convergence:
    """A slot has one of some values in the end."""
    return Convergence(
        **WORDS, slots=(slot,), missing=lambda value: None if value in goals else f"{slot} is {value}"
    )  # fmt: skip


def never_for_ever(slot: str, forbidden: Callable[[Any, Any, Action], bool]) -> Convergence:
    """Steps of some sort end some time."""
    return Convergence(
        **WORDS, slots=(slot,), forbidden=lambda a, b, action: "again" if forbidden(a[0], b[0], action) else None
    )  # fmt: skip


def ask(system: System, prop: Convergence, states: int | None = None, **bounds: Any) -> Lasso | None:
    """What is found in a system, which has so many states; checked by the tests' own means."""
    core = Core(system, [], INFINITE)
    result = core.run(**bounds)
    assert states is None or result.states == states
    lasso = Liveness(core).convergence(prop)
    if lasso is not None:
        assert_is_a_fair_run(core, lasso)
    return lasso


def assert_is_a_fair_run(core: Core, lasso: Lasso) -> None:
    """The lasso is a run of the plain step, closes, and nobody who always can act is left out of its cycle.

    Nor is an informer that can learn now and then, or a key that is worth a look whenever nothing is sent.  The cycle
    is unrolled many times, each process under the name that it had at the beginning.
    """
    system, codec = core.system, core.tables.codec
    stem = moves_along(core, states_to(core, lasso.entry))
    row = system.initial
    for move in [*stem, *lasso.moves]:
        assert move in list(system.moves(row))
        row = move.row
    assert row == codec.decode(lasso.entry)
    assert [move.row for move in lasso.moves] == [codec.decode(state) for state in lasso.cycle]

    def unit(move: Move, first: dict[str, str], who: dict[int, int]) -> tuple[Any, ...]:
        keys = [value for _, value in move.action.parameters if isinstance(value, Ref)]
        about = tuple(who.get(key.uid, key.name) if key.uid is not None else key.name for key in keys)
        process = tuple(first.get(part, part) for part in move.action.process.split("/"))
        return process, move.action.rule, about if move.action.rule == "decide" or about != ("",) else ()

    def units(row: Any) -> set[tuple[Any, ...]]:
        return {unit(each, first, who) for each in system.moves(row) if each.actor in FAIR or each.actor == CLOCK}

    cycle: list[Move | None] = [*lasso.moves] or [None]
    first: dict[str, str] = {}  # what the node was called at first, by what it is called now
    who = {uid: uid for uid in uids(row)}  # whom a uid stands for
    born = len(who)
    possible, taken = [], []
    for _ in range(24):
        for step in cycle:
            possible.append(units(row))
            if step is not None:
                taken.append(unit(step, first, who))
                nodes = [node for group in (system.symmetry.classes if system.symmetry else ()) for node in group]
                first = {step.renaming.node(node): first.get(node, node) for node in nodes}
                raw = uids(step.raw)
                born += len(raw - who.keys())
                who = {step.renaming.uid(uid): who.get(uid, born + n) for n, uid in enumerate(sorted(raw))}
                born += len(raw)
                row = step.row
    for last in (0, len(possible) // 2):  # some come late and stay
        assert set.intersection(*possible[last:]) <= set(taken[last:])
        left = set.union(*possible[last:]) - set(taken[last:])
        assert "learn" not in {rule for _, rule, _ in left}
        for look in left:
            sends = (look[0], "send", ())
            always = all(look in now or sends in now for now in possible[last:])
            assert look[1] != "decide" or not always


def uids(row: Any) -> set[int]:
    """The uids in a row."""
    return set().union(*map(uids_in, row))


def test_weak_fairness_lets_a_patient_process_starve() -> None:
    lasso = ask(mutual_exclusion(), gets_to("patient", "gone"), 5)
    assert lasso is not None
    assert [move.action.rule for move in lasso.moves] == ["enter", "leave"]
    assert {move.action.process for move in lasso.moves} == {"greedy"}


def test_the_greedy_process_cannot_wait_for_ever_once_the_patient_one_is_gone() -> None:
    never = Invariant(**WORDS, slots=("patient", "greedy"), broken=lambda a, b: "both" if a == b == "inside" else None)
    assert not Core(mutual_exclusion(), [never]).run().findings
    assert ask(mutual_exclusion(), gets_to("patient", "waiting", "gone"), 5) is None


@pytest.mark.parametrize("patience", [0, 1, 4])
def test_a_server_that_may_refuse_each_time_does_so_for_ever(patience: int) -> None:
    lasso = ask(retries(patience), gets_to("client", "served"), 4 + patience)
    assert lasso is not None
    assert len(lasso.cycle) == 3 + patience
    assert lasso.message == "client is idle"


@pytest.mark.parametrize("places", [1, 2, 7])
def test_only_fairness_opens_the_door(places: int) -> None:
    assert ask(ring(places), gets_to("door", "open"), 2 * places if places > 1 else 2) is None
    lasso = ask(ring(places, fair=False), gets_to("door", "open"))
    assert lasso is not None
    assert len(lasso.cycle) == (places if places > 1 else 0)


def test_a_deadlock_short_of_the_goal_stays_for_ever() -> None:
    core = Core(crossed_locks(), [], INFINITE)
    assert core.run().states == 9
    lasso = Liveness(core).convergence(gets_to("one", 2))
    assert lasso is not None
    assert (core.tables.codec.decode(lasso.entry), lasso.cycle) == ((1, 1), [])
    assert len(states_to(core, lasso.entry)) - 1 == 2


def test_what_cannot_be_undone_is_not_recoverable() -> None:
    goal = Recoverable(**WORDS, slots=("one",), missing=lambda one: None if one == 2 else f"one has {one} locks")
    core = Core(crossed_locks())
    core.run()
    lasso = Liveness(core).recoverable(goal)
    assert lasso is not None
    assert core.tables.codec.decode(lasso.entry) == (1, 1)
    assert lasso.message == "one has 1 locks"


def test_a_goal_that_may_be_missed_for_ever_can_be_recoverable_all_the_same() -> None:
    core = Core(retries(2))
    core.run()
    liveness = Liveness(core)
    assert liveness.convergence(gets_to("client", "served")) is not None
    goal = Recoverable(**WORDS, slots=("client",), missing=lambda client: None if client == "served" else "not served")
    assert liveness.recoverable(goal) is None


@pytest.mark.parametrize("places", [2, 3, 9])
def test_a_forbidden_step_on_a_cycle_is_found(places: int) -> None:
    forbidden = never_for_ever("token", lambda before, after, action: after == 0)
    lasso = ask(ring(places), forbidden, 2 * places)
    assert lasso is not None
    assert len(lasso.cycle) == places
    assert lasso.moves[0].action.process == "token"
    assert ask(ring(places), never_for_ever("door", lambda before, after, action: before != after)) is None


def test_a_forbidden_step_is_told_from_another_one_to_the_same_state() -> None:
    """Two rules lead round; only one is forbidden, and the run has to take it."""

    @rule("good")
    def good(token: int) -> Yields:
        yield outcome({"token": 1 - token})

    @rule("bad")
    def bad(token: int) -> Yields:
        yield outcome({"token": 1 - token})

    system = System("two ways", (Slot("token", 0),), (Process("it", (good, bad), {"token": "token"}),))
    lasso = ask(system, never_for_ever("token", lambda before, after, action: action.rule == "bad"), 2)
    assert lasso is not None
    assert {move.action.rule for move in lasso.moves} == {"good", "bad"}


def test_a_forbidden_step_may_be_the_passing_of_time() -> None:
    """Time that passes changes nothing here but an age: it goes from 0 to its horizon, and is set back."""
    from kythera.model.environment.heartbeats import Heartbeat, renew

    @rule("wait")
    def wait(lease: Heartbeat) -> Yields:
        yield Wake(5)

    system = System(
        "clock",
        (Slot("lease/n1", Heartbeat()),),
        (Process("heartbeat", (renew, wait), {"lease": "lease/n1"}, {"link": "up", "prompt": False}),),
        clock=Clock(ADVERSARIAL, {"Heartbeat.age": 10}),
    )
    late = never_for_ever("lease/n1", lambda before, after, action: action.process == CLOCK and after.age == 10)
    lasso = ask(system, late, 3)
    assert lasso is not None
    assert [move.action.process for move in lasso.moves].count(CLOCK) >= 1
    assert len(lasso.moves) == 3


@pytest.mark.parametrize("length", [10, 40])
def test_a_state_that_was_not_expanded_is_no_end(length: int) -> None:
    for states in range(1, 10):
        assert ask(line(length), gets_to("number", length), max_states=states) is None
    lasso = ask(line(length), gets_to("number", 0))
    assert lasso is not None
    assert (lasso.cycle, lasso.message) == ([], f"number is {length}")


def test_what_a_stopped_exploration_has_seen_of_a_cycle_is_judged_with_all_that_is_possible_there() -> None:
    """Nothing outside is known, but the door of the ring can be opened in each state: fairness forbids to stay."""
    for states in range(1, 14):
        assert ask(ring(7), gets_to("door", "open"), max_states=states) is None
    assert ask(ring(7, fair=False), gets_to("door", "open"), max_states=13) is not None


@pytest.mark.parametrize("symmetry", [False, True])
@pytest.mark.parametrize(("nodes", "wanted"), [(2, {0}), (3, {0}), (3, {0, 1}), (4, {0, 1, 2})])
def test_equal_nodes_are_told_apart_by_who_is_starved(nodes: int, wanted: set[int], symmetry: bool) -> None:
    """Some nurse can always act, under one and the same canonical name; but none can always act: all may be starved."""
    system = rotor(nodes, frozenset(wanted), symmetry)
    lasso = ask(system, gets_to("done", True), 2 if symmetry else 2 * nodes)
    assert lasso is not None
    assert len(lasso.cycle) == (1 if symmetry else nodes)


@pytest.mark.parametrize("symmetry", [False, True])
def test_a_nurse_that_can_always_act_does(symmetry: bool) -> None:
    assert ask(rotor(3, frozenset({0, 1, 2}), symmetry), gets_to("done", True)) is None


@pytest.mark.parametrize("symmetry", [False, True])
@pytest.mark.parametrize("others", [1, 5, 20])
def test_a_nurse_whose_name_changes_is_not_starved(others: int, symmetry: bool) -> None:
    system = sickbed(others, symmetry)
    core = Core(system, [], INFINITE)
    assert core.run().states == 2 * others
    names = {next(name for name in ("value/n1", "value/n2") if row[system.index[name]] == 0) for row in rows(core)}
    assert len(names) == (2 if symmetry and others > 5 else 1)
    assert Liveness(core).convergence(gets_to("done", True)) is None


@pytest.mark.parametrize("symmetry", [False, True])
def test_an_informer_that_can_learn_again_and_again_does(symmetry: bool) -> None:
    assert ask(rotor(3, frozenset({1}), symmetry, "learn"), gets_to("done", True)) is None
    assert ask(rotor(3, frozenset(), symmetry, "learn"), gets_to("done", True)) is not None


@pytest.mark.parametrize(("length", "window", "cycle"), [(1, 0, None), (1, 1, None), (2, 2, 2), (3, 1, 2), (5, 4, 2)])
def test_an_informer_that_a_run_can_keep_from_learning_may_never_learn(
    length: int, window: int, cycle: int | None
) -> None:
    lasso = ask(corridor(length, window), gets_to("seen", True), 2 * length + 2)
    assert (None if lasso is None else len(lasso.cycle)) == cycle


@st.composite
def turning(draw: st.DrawFn, most: int, fewest: int) -> tuple[Any, ...]:
    """Values below some number, those of at least so many things, how they turn into others, and which are wanted."""
    count = draw(st.integers(2, most))
    value = st.integers(0, count - 1)
    values = tuple(draw(st.lists(value, min_size=fewest, max_size=3)))
    turn = st.one_of(st.permutations(range(count)).map(tuple), st.tuples(*[value] * count))
    turns = tuple(draw(st.lists(turn, min_size=1, max_size=2)))
    return value, values, turns, draw(st.frozensets(value))


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_exchanges_of_equal_nodes_change_no_answer(data: st.DataObject) -> None:
    """Whoever is starved in the canonical states is starved in the states as they are, and the other way round."""
    value, values, turns, wanted = data.draw(turning(most=5, fewest=2))
    does = data.draw(st.sampled_from(["attend", "learn", "decide"]))
    sent = data.draw(st.dictionaries(value, value, max_size=2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cycles, "SEARCHED", data.draw(st.sampled_from([0, cycles.SEARCHED])))
        systems = [nursery(values, turns, wanted, symmetry, does, sent) for symmetry in (True, False)]
        found = [ask(system, gets_to("done", True)) is not None for system in systems]
        assert found == [PlainGraph(systems[1]).violates(gets_to("done", True))] * 2


def looked_after(value: int) -> Convergence:
    """In the end there is no pod of this value that was not looked after."""

    def missing(pods: Any) -> str | None:
        waits = any(pod.metadata.labels == Map({"value": str(value), "marked": "False"}) for pod in pods)
        return f"a pod of value {value} waits" if waits else None

    return Convergence(**WORDS, slots=("objects/Pod",), missing=missing)


ALL = frozenset(range(4))


@pytest.mark.parametrize("symmetry", [True, False])
def test_a_pod_that_can_always_be_looked_after_is_not_forgotten_over_ever_new_ones(symmetry: bool) -> None:
    """The nurse always has something to do: one pod waits, others come, are looked after, and go."""
    turn = (0, 2, 3, 1)
    assert ask(ward((0, 1), (turn,), ALL, symmetry, frozenset({3})), looked_after(0)) is None
    lasso = ask(ward((0, 1), (turn,), ALL - {0}, symmetry, frozenset({3})), looked_after(0))
    assert lasso is not None, "nobody wants it"


@pytest.mark.parametrize("symmetry", [True, False, None])
def test_one_of_two_equal_pods_may_be_starved_if_each_can_be_looked_after_only_now_and_then(
    symmetry: bool | None,
) -> None:
    """Some pod can always be looked after, but none of them always."""
    lasso = ask(ward((0, 1), ((1, 0),), frozenset({0}), symmetry), looked_after(0))
    assert lasso is not None
    assert {move.action.rule for move in lasso.moves} == {"work"}
    assert ask(ward((0, 1), ((1, 0),), frozenset({0, 1}), symmetry), looked_after(0)) is None


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_renaming_of_pods_changes_no_answer(data: st.DataObject) -> None:
    value, values, turns, wanted = data.draw(turning(most=4, fewest=1))
    mortal = data.draw(st.one_of(st.just(frozenset()), st.frozensets(value)))
    prop = looked_after(data.draw(value))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cycles, "SEARCHED", data.draw(st.sampled_from([0, cycles.SEARCHED])))
        found = {ask(ward(values, turns, wanted, symmetry, mortal), prop) is None for symmetry in (True, False)}
        if not mortal:
            found.add(not PlainGraph(ward(values, turns, wanted, None)).violates(prop))
    assert len(found) == 1


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_random_graphs_are_judged_as_by_the_oracle(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 7))
    ways = st.tuples(*[st.lists(st.integers(0, count - 1), max_size=2, unique=True).map(tuple)] * count)
    rules = data.draw(st.sampled_from([("go", "learn"), ("decide", "send"), ("decide", "send", "learn")]))
    actors, processes = st.sampled_from(["component", "user", "repair"]), st.integers(0, 2)
    walker = st.builds(Walker, st.sampled_from(rules), actors, ways, processes, st.sampled_from("ab"))
    walkers = data.draw(st.lists(walker, min_size=1, max_size=5, unique_by=lambda each: each.unit))
    system = labyrinth(walkers)
    bad = data.draw(st.integers(0, count - 1))
    misses = gets_to("place", *(place for place in range(count) if place != bad))
    takes = never_for_ever("place", lambda before, after, action: before == bad and action.process == "walker0")
    graph = PlainGraph(system)
    for prop in (misses, takes):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cycles, "SEARCHED", data.draw(st.sampled_from([0, cycles.SEARCHED])))
            assert (ask(system, prop) is not None) == graph.violates(prop)


def rows(core: Core) -> list[Any]:
    """All states as rows."""
    return [core.tables.codec.decode(state) for level in core.levels for state in level]


def test_a_step_that_only_exchanges_equal_nodes_can_be_forbidden() -> None:
    lasso = ask(rotor(3, frozenset({0})), never_for_ever("value/n1", lambda a, b, action: action.process == "robot"))
    assert lasso is not None
    assert len(lasso.cycle) == 1


@pytest.mark.parametrize("system", [ring(5), retries(2), crossed_locks(), rotor(3, frozenset()), mutual_exclusion()])
def test_components_are_the_same_without_scipy(system: System) -> None:
    core = Core(system)
    core.run()
    graph = graphs.build(core)
    labels, other = graphs.components(graph), graphs.tarjan(graph.first, graph.target)
    assert len(set(labels)) == len(set(other)) == len(set(zip(labels, other, strict=True)))


@pytest.mark.parametrize("system", [ring(5), retries(2), rotor(3, frozenset({1})), mutual_exclusion()])
def test_the_compiled_engine_gives_the_same_graph(system: System) -> None:
    slow, fast = Core(system, [], INFINITE), Core(system, [], 1)
    slow.run()
    fast.run()
    if fast.compiled is None:
        pytest.skip("Numba is not installed")
    one, two = graphs.build(slow), graphs.build(fast)

    def steps(core: Core, graph: graphs.Graph) -> set[Any]:
        decode, actions = core.tables.codec.decode, core.tables.actions
        arcs = zip(graph.source, graph.target, graph.action, strict=True)
        return {(decode(graph.states[a]), decode(graph.states[b]), actions[c]) for a, b, c in arcs}

    def owed(core: Core, graph: graphs.Graph) -> dict[Any, Any]:
        decode, actions = core.tables.codec.decode, core.tables.actions
        return {decode(s): {actions[a] for a in graph.owed(i)} for i, s in enumerate(graph.states)}

    assert steps(slow, one) == steps(fast, two)
    assert owed(slow, one) == owed(fast, two)
    assert list(one.ends) == list(two.ends)
