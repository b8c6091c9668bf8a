"""Event handlers that see each change although no informer is ever behind."""

from __future__ import annotations

from typing import Any

from kythera.model.api.core.node import Node, NodeSpec
from kythera.model.api.meta import ObjectMeta
from kythera.model.controller import Controller
from kythera.model.host import Hosted
from kythera.model.record import Record, Uid, replace
from kythera.model.scenarios.edges import edges
from kythera.model.view import View

OPEN = Node(ObjectMeta(name="n1", uid=Uid(1)))
CLOSED = replace(OPEN, spec=NodeSpec(unschedulable=True))


def count(local: int, before: View, after: View) -> int:
    """How often a node was opened or closed; 9 for a memory that wants to be initial again."""
    if local == 9:
        return 0
    return local + (before.list(Node) != after.list(Node))


def bare(node: Node) -> Record:
    return Node(ObjectMeta(name=node.metadata.name, uid=node.metadata.uid), node.spec)


CONTROLLER = Controller("counter", (Node,), (), 0, lambda view: (), lambda *_: (), count, shapes={Node: bare})
SLOTS, STAGE = edges("counter", ["Node"], Hosted(CONTROLLER, lambda *_: None, (), ()), None)  # type: ignore[arg-type, return-value]


def told(local: int, now: tuple[Node, ...], before: tuple[Node, ...]) -> Any:
    after, stored, known = STAGE.function((local, now, before))
    assert stored == now
    return after, known


def test_there_is_a_slot_for_each_kind_and_it_starts_empty() -> None:
    assert [(slot.name, slot.initial) for slot in SLOTS] == [("before/counter/Node", ())]
    assert STAGE.reads == ("local/counter", "objects/Node", "before/counter/Node")
    assert STAGE.triggers == {"local/counter", "objects/Node"}


def test_a_component_that_remembers_nothing_is_told_nothing() -> None:
    assert told(0, (OPEN,), ()) == (0, ())
    assert told(0, (OPEN,), (CLOSED,)) == (0, ())


def test_one_that_has_begun_to_remember_keeps_what_it_sees() -> None:
    assert told(1, (OPEN,), ()) == (1, (OPEN,))


def test_it_is_told_of_each_change() -> None:
    assert told(1, (CLOSED,), (OPEN,)) == (2, (CLOSED,))
    assert told(1, (OPEN,), (OPEN,)) == (1, (OPEN,))


def test_what_its_shape_does_not_show_is_no_change() -> None:
    labelled = replace(OPEN, metadata=replace(OPEN.metadata, generation=7))
    assert told(1, (labelled,), (OPEN,)) == (1, (OPEN,))


def test_when_its_memory_is_the_initial_one_again_it_keeps_nothing() -> None:
    assert told(9, (CLOSED,), (OPEN,)) == (0, ())
