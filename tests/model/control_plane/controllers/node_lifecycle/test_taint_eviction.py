"""Pods that leave nodes whose taints they do not tolerate."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kythera.model.api.core.node import Node, NodeSpec
from kythera.model.api.core.pod import Pod, PodSpec, PodStatus
from kythera.model.api.core.scheduling import Taint, Toleration
from kythera.model.api.meta import Condition, ObjectMeta
from kythera.model.control_plane.controllers.node_lifecycle.taint_eviction import (
    PLAN,
    Local,
    Planned,
    controller,
    seconds_tolerated,
)
from kythera.model.controller import Reply, Step
from kythera.model.record import Age, NodeName, Uid, replace
from kythera.model.request import Delete, Update, ref_of
from kythera.model.view import view

DEAD = Taint("dead", "", "NoExecute", Age(0))
BUSY = Taint("busy", "", "NoSchedule")


def tolerating(seconds: int | None, key: str = "dead") -> Toleration:
    return Toleration(key, "Exists", "", "NoExecute", seconds)


def a_pod(*tolerations: Toleration, node: str | None = "n1", deleted: bool = False) -> Pod:
    meta = ObjectMeta(namespace="default", uid=Uid(7), deletion_timestamp=Age(0) if deleted else None)
    return Pod(meta, PodSpec(node_name=None if node is None else NodeName(node), tolerations=tolerations), PodStatus())


def look(pod: Pod, *taints: Taint, local: Local = ()) -> Step:
    state = view(Pod=(pod,), Node=(Node(ObjectMeta("n1"), NodeSpec(taints=taints)),))
    (step,) = controller().reconcile(local, state, ref_of(pod))
    return step


def test_a_pod_that_does_not_tolerate_a_taint_is_marked_and_deleted_at_once() -> None:
    mark, delete = look(a_pod(), DEAD).requests
    assert isinstance(mark, Update)
    assert isinstance(mark.object, Pod)
    assert (mark.subresource, mark.unconditional) == ("conditions", True)
    (told,) = mark.object.status.conditions
    assert (told.type, told.reason) == ("DisruptionTarget", "DeletionByTaintManager")
    assert delete == Delete(ref_of(a_pod()))


def test_a_pod_that_is_marked_already_is_only_deleted() -> None:
    told = Condition(
        "DisruptionTarget", "True", "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint"
    )
    pod = replace(a_pod(), status=PodStatus(conditions=(told,)))
    assert look(pod, DEAD).requests == (Delete(ref_of(pod)),)


def test_only_taints_that_evict_matter_and_only_pods_that_are_there_to_stay() -> None:
    assert look(a_pod(), BUSY) == Step(())
    assert look(a_pod(deleted=True), DEAD) == Step(())
    assert look(a_pod(tolerating(None)), DEAD) == Step(())


def test_a_pod_stays_for_as_long_as_it_tolerates_the_taint() -> None:
    pod = a_pod(tolerating(30))
    planned = look(pod, DEAD)
    assert planned.requests == ()
    assert planned.local == (Planned(Uid(7), Age(-30)),)
    assert look(pod, DEAD, local=(Planned(Uid(7), Age(-12)),)).requeue_after == 12
    assert len(look(pod, DEAD, local=(Planned(Uid(7), Age(0)),)).requests) == 2


def test_what_was_planned_is_given_up_when_the_taints_go_or_the_pod_does() -> None:
    planned = (Planned(Uid(7), Age(-12)),)
    assert look(a_pod(tolerating(30)), BUSY, local=planned) == Step(())
    (forgotten,) = controller().reconcile(planned, view(Pod=(), Node=()), PLAN)
    assert forgotten.local == ()


def test_a_pod_is_deleted_once() -> None:
    chosen, pod = controller(), a_pod()
    done = chosen.replied((), ref_of(pod), Delete(ref_of(pod)), Reply(200))
    assert look(pod, DEAD, local=done) == Step(done)
    assert chosen.caught_up(done) == ()
    assert chosen.replied((), ref_of(pod), Delete(ref_of(pod)), Reply(500)) == ()


def test_the_shortest_toleration_that_is_needed_counts() -> None:
    taints = (DEAD, Taint("slow", "", "NoExecute"))
    assert seconds_tolerated(taints, (tolerating(30), tolerating(20, "slow"), tolerating(1, "other"))) == 20
    assert seconds_tolerated(taints, (tolerating(30), tolerating(None, "slow"))) == 30
    assert seconds_tolerated(taints, (tolerating(30),)) == 0
    assert seconds_tolerated(taints, (tolerating(-5), tolerating(None, "slow"))) == 0


@given(st.lists(st.one_of(st.none(), st.integers(-5, 300)), min_size=1, max_size=5))
def test_no_pod_is_tolerant_for_longer_than_any_toleration_that_it_needs(limits: list[int | None]) -> None:
    taints = [Taint(f"t{n}", "", "NoExecute") for n, _ in enumerate(limits)]
    tolerations = [tolerating(limit, f"t{n}") for n, limit in enumerate(limits)]
    got = seconds_tolerated(taints, tolerations)
    finite = [max(0, limit) for limit in limits if limit is not None]
    assert got == (min(finite) if finite else None)
