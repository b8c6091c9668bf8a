"""Symmetry changes how many states there are, and no answer; the canonical form does not depend on names."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scenarios import TABLE

from kythera.model.api.core.pod import Pod
from kythera.model.normalise import Renaming, rename, transform, uids_in
from kythera.model.record import Map, NodeName, Record, Uid
from kythera.model.rule import CLOCK
from kythera.model.symmetry import Row, Symmetry
from kythera.model.system import System
from kythera.properties.catalogue import applicable
from kythera.properties.engines.core import Core
from kythera.properties.engines.liveness import Liveness
from kythera.properties.property import Convergence

FEWER = {
    "ReplicaSet", "ReplicaSet on three nodes", "ReplicaSet without room", "Deployment", "caches lag", "crash", "fine",
    "two schedulers", "container crash", "partition", "node failure", "Service", "lost answers", "rollout", "drain",
    "two nodes in adversarial time", "autoscaler", "pods end",
}  # fmt: skip
"""The scenarios with equal nodes, or pods that nothing tells apart."""


@cache
def explored(name: str, symmetry: bool) -> tuple[Core, set[str], set[str]]:
    """An exploration, what is violated, and what had a chance to be."""
    asked = TABLE[name](symmetry=symmetry)
    properties = applicable(asked.system, asked.objects, asked.scenario, asked.rung)
    core = Core(asked.system, properties, float("inf"))
    assert core.run(max_states=20_000).complete
    violated = {finding.property for finding in core.result.findings}
    liveness = Liveness(core)
    lively = [prop for prop in properties if isinstance(prop, Convergence)]
    violated |= {prop.name for prop in lively if liveness.convergence(prop) is not None}
    return core, violated, core.result.applied


@pytest.mark.parametrize("name", TABLE)
def test_symmetry_changes_no_verdict(name: str) -> None:
    (with_it, violated, applied), (without, other, others) = explored(name, True), explored(name, False)
    assert (violated, applied) == (other, others)
    assert kinds(with_it) == kinds(without)


def kinds(core: Core) -> set[tuple[str, str]]:
    """The actions that were taken, on whichever node."""
    return {(process.partition("/")[0], rule) for (process, rule), count in core.fired.items() if count}


@pytest.mark.parametrize("name", TABLE)
def test_symmetry_saves_states_where_something_is_equal(name: str) -> None:
    with_it, without = explored(name, True)[0].result.states, explored(name, False)[0].result.states
    assert (with_it < without) if name in FEWER else (with_it <= without)


def rows(name: str) -> tuple[Symmetry, list[Row]]:
    """The states of a scenario, as rows."""
    core = explored(name, True)[0]
    assert core.system.symmetry is not None
    return core.system.symmetry, [core.tables.codec.decode(state) for level in core.levels for state in level]


@pytest.mark.parametrize("name", TABLE)
def test_the_canonical_form_is_its_own(name: str) -> None:
    symmetry, states = rows(name)
    for row in random.Random(7).sample(states, min(150, len(states))):
        assert not symmetry.plan(row)


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(sorted(TABLE)), st.randoms(use_true_random=False))
def test_the_canonical_form_does_not_depend_on_names(name: str, chance: random.Random) -> None:
    symmetry, states = rows(name)
    row = chance.choice(states)
    renamed = symmetry.apply(row, any_renaming(symmetry, row, chance))
    again = renamed
    for _ in range(2):  # once is not always enough: nodes are ordered before the uids of what is on them
        again = symmetry.apply(again, symmetry.plan(again))
    assert not symmetry.plan(again)
    assert looks(symmetry, again) == looks(symmetry, row)
    if not ties(symmetry, row):
        assert [unordered(value) for value in again] == [unordered(value) for value in row]


@pytest.mark.parametrize("name", TABLE)
def test_what_is_possible_does_not_depend_on_names(name: str) -> None:
    """A renaming takes the steps out of a state to the steps out of the renamed one: all that symmetry rests on."""
    system = explored(name, True)[0].system
    symmetry, states = rows(name)
    chance = random.Random(7)
    for row in chance.sample(states, min(100, len(states))):
        renamed = symmetry.apply(row, any_renaming(symmetry, row, chance))
        assert steps(system, renamed) == steps(system, row)


def steps(system: System, row: Row) -> set[Any]:
    """The steps out of a row, whatever is called how.  (That time changes nothing shows in canonical rows only.)"""
    symmetry = system.symmetry
    assert symmetry is not None
    here = looks(symmetry, row)
    found = {(move.actor, move.action.rule, looks(symmetry, move.row)) for move in system.moves(row)}
    return {step for step in found if step != (CLOCK, "advance", here)}


def looks(symmetry: Symmetry, row: Row) -> tuple[Any, ...]:
    """What is the same of all rows that differ only in names and order."""
    nobody = Renaming(nodes=Map({node: "" for group in symmetry.classes for node in group}))
    values = (
        (slot.family, unordered(nameless(value, nobody))) for slot, value in zip(symmetry.slots, row, strict=True)
    )
    return tuple(sorted(values))


@cache
def nameless(value: Any, nobody: Renaming) -> Any:
    """A value without the names of nodes and uids."""
    return transform(rename(value, nobody), lambda kind, old, _: 0 if kind is Uid else "" if kind is NodeName else old)


@cache
def unordered(value: Any) -> int:
    """The same number for all values that differ in the order of their parts."""
    if isinstance(value, Record):
        return hash((type(value), *(unordered(getattr(value, name)) for name in value.__record_fields__)))
    if isinstance(value, Map):
        return hash(tuple((key, unordered(each)) for key, each in value.items()))
    return hash(tuple(sorted(map(unordered, value)))) if isinstance(value, (tuple, frozenset)) else hash((value,))


def any_renaming(symmetry: Symmetry, row: Row, chance: random.Random) -> Renaming:
    """Equal nodes exchanged, and uids numbered, at random."""
    nodes: dict[str, str] = {}
    for group in symmetry.classes:
        nodes.update(zip(group, chance.sample(group, len(group)), strict=True))
    uids = sorted(frozenset[int]().union(*map(uids_in, row)))
    new = chance.sample(range(2 * len(uids) + 1), len(uids))
    return Renaming(
        Map({str(a): b for a, b in zip(uids, new, strict=True)}), Map({a: b for a, b in nodes.items() if a != b})
    )


def ties(symmetry: Symmetry, row: Row) -> bool:
    """Whether some pods or nodes look so much alike that perhaps nothing but their names orders them."""
    nobody = Renaming(nodes=Map({node: "" for group in symmetry.classes for node in group}))
    stored = [obj for i in symmetry.stored for obj in row[i]]
    pods = [unordered(nameless(obj, nobody)) for obj in stored if isinstance(obj, Pod)]
    forgotten = frozenset[int]().union(*map(uids_in, row)) - {obj.metadata.uid for obj in stored}
    nodes = [
        (number, *(unordered(nameless(row[i], nobody)) for i in symmetry.node_slots[node]))
        for number, group in enumerate(symmetry.classes)
        for node in group
    ]
    return len(set(pods)) < len(pods) or len(set(nodes)) < len(nodes) or len(forgotten) > 1


def test_a_renaming_moves_what_is_on_a_node_with_it() -> None:
    symmetry, states = rows("ReplicaSet")
    renaming = Renaming(Map(), Map({"n1": "n2", "n2": "n1"}))
    for row in states:
        moved = symmetry.apply(row, renaming)
        assert symmetry.apply(moved, renaming) == row
        for one, two in zip(symmetry.node_slots["n1"], symmetry.node_slots["n2"], strict=True):
            assert moved[one] == rename(row[two], renaming)
