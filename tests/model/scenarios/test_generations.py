"""Generations are renumbered together, wherever an object is, and keep their order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.systems import autoscaler, node, question, replica_set

from kythera.model.api.apps import ReplicaSet, ReplicaSetStatus
from kythera.model.api.discovery import EndpointSlice
from kythera.model.api.meta import ObjectMeta
from kythera.model.host import Outbox
from kythera.model.record import Uid
from kythera.model.request import Ref, Update
from kythera.model.scenarios.generations import renumbered, unread
from kythera.properties.engines.core import Core

SLOTS = (
    "objects/ReplicaSet", "seen/a/ReplicaSet", "pending/a/ReplicaSet", "past/a/ReplicaSet", "outbox/a",
    "objects/Pod", "seen/a/Pod", "local/a",
)  # fmt: skip
AT_ONCE = {"kube-controller-manager": {"horizontal-pod-autoscaler-downscale-stabilization": "0s"}}


def made(generation: int, observed: int, uid: int = 0) -> ReplicaSet:
    meta = ObjectMeta(name="web", uid=Uid(uid), generation=generation)
    return ReplicaSet(meta, status=ReplicaSetStatus(observed_generation=observed))


def pairs(value: ReplicaSet) -> tuple[int, int]:
    return value.metadata.generation, value.status.observed_generation


def test_it_looks_wherever_objects_of_the_kind_are() -> None:
    assert renumbered("ReplicaSet", SLOTS).reads == SLOTS[:5]


def test_the_same_number_everywhere_becomes_the_same_number() -> None:
    function = renumbered("ReplicaSet", SLOTS).function
    update = Outbox(Ref(), (Update(made(7, 7), "status"),))
    stored, seen, pending, past, outbox = function(((made(9, 7),), (made(7, 4),), ((made(9, 4),),), (), update))
    assert pairs(stored[0]) == (3, 2)
    assert pairs(seen[0]) == (2, 1)
    assert pairs(pending[0][0]) == (3, 1)
    assert past == ()
    assert pairs(outbox.requests[0].object) == (2, 2)


def test_a_status_that_speaks_of_nothing_yet_stays_so() -> None:
    function = renumbered("ReplicaSet", SLOTS[:1]).function
    assert pairs(function(((made(5, 0),),))[0][0]) == (1, 0)


def test_objects_are_renumbered_each_for_itself() -> None:
    function = renumbered("ReplicaSet", SLOTS[:1]).function
    (after,) = function(((made(5, 5, uid=1), made(3, 2, uid=2)),))
    assert [pairs(each) for each in after] == [(1, 1), (2, 1)]


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 50)), min_size=1, max_size=4))
def test_comparisons_stay_what_they_are(numbers: list[tuple[int, int]]) -> None:
    function = renumbered("ReplicaSet", SLOTS[:3]).function
    first, *rest = (made(*each) for each in numbers)
    stored, seen, pending = function(((first,), (), tuple((each,) for each in rest)))
    before = [n for pair in numbers for n in pair]
    after = [n for each in (*stored, *seen, *(each for (each,) in pending)) for n in pairs(each)]
    for a, b in zip(before, after, strict=True):
        for c, d in zip(before, after, strict=True):
            assert (a < c) == (b < d)
    assert function((stored, seen, pending)) == (stored, seen, pending)


def test_a_generation_that_nobody_reads_is_always_the_first() -> None:
    old = EndpointSlice(ObjectMeta(name="web", uid=Uid(0), generation=8))
    assert unread("EndpointSlice").function(((old,),))[0][0].metadata.generation == 1


def test_two_autoscalers_that_undo_each_others_work_come_back_to_where_they_were() -> None:
    documents = [node("n1", unschedulable=True), replica_set(1), autoscaler("a", 1, 1), autoscaler("b", 2, 3)]
    result = Core(question(documents, components=AT_ONCE).system).run(max_states=10_000)
    assert result.complete
