"""Pods that no kubelet will ever remove."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kythera.model.api.core.node import Node, NodeSpec, NodeStatus
from kythera.model.api.core.pod import Pod, PodSpec, PodStatus
from kythera.model.api.core.scheduling import Taint
from kythera.model.api.meta import Condition, ObjectMeta
from kythera.model.api.pods import condition
from kythera.model.control_plane.controllers.pod_gc import (
    NODES,
    OUT_OF_SERVICE,
    Missing,
    controller,
    is_ended,
    keys,
    surplus,
)
from kythera.model.controller import Step
from kythera.model.record import Age, NodeName, Uid, replace
from kythera.model.request import Delete, Ref, Update
from kythera.model.view import View, view


def a_pod(
    name: str = "", node: str | None = "n1", phase: str = "Running", created: int = 0, deleted: bool = False
) -> Pod:
    meta = ObjectMeta(
        name,
        namespace="default",
        uid=Uid(7),
        creation_timestamp=Age(created),
        deletion_timestamp=Age(0) if deleted else None,
    )
    return Pod(meta, PodSpec(node_name=None if node is None else NodeName(node)), PodStatus(phase))


def a_node(ready: str = "True", *taints: str) -> Node:
    spec = NodeSpec(taints=tuple(Taint(key, effect="NoExecute") for key in taints))
    return Node(ObjectMeta("n1"), spec, NodeStatus(conditions=(Condition("Ready", ready),)))


def look(pods: tuple[Pod, ...], nodes: tuple[Node, ...] = (), *missing: Missing, key: Ref | None = None) -> Step:
    seen: View = view(Pod=pods, Node=nodes)
    if key is None:
        _, key, *_ = keys(seen)
    (step,) = controller({"terminated-pod-gc-threshold": "1"}).reconcile(frozenset(missing), seen, key)
    return step


def test_a_node_that_is_missing_is_quarantined() -> None:
    pods = (a_pod(),)
    step = look(pods, key=NODES)
    assert step.local == frozenset({Missing(NodeName("n1"))})
    assert look(pods, (), *step.local, key=NODES).requeue_after == 40
    assert look(pods, (), *step.local).requests == ()
    assert look(pods, (a_node(),), *step.local, key=NODES).local == frozenset()
    assert look((), (), *step.local, key=NODES).local == frozenset()


def test_pods_of_a_node_that_stays_missing_fail_and_go() -> None:
    update, delete = look((a_pod(),), (), Missing(NodeName("n1"), Age(40))).requests
    assert isinstance(update, Update)
    assert isinstance(update.object, Pod)
    assert update.object.status.phase == "Failed"
    told = condition(update.object.status.conditions, "DisruptionTarget")
    assert told is not None
    assert told.reason == "DeletionByPodGC"
    assert delete == Delete(Ref("Pod", "default", "", Uid(7)), 0)


def test_a_node_that_is_back_keeps_its_pods() -> None:
    assert look((a_pod(),), (a_node(),), Missing(NodeName("n1"), Age(40))).requests == ()


def test_a_pod_with_a_name_is_deleted_by_it() -> None:
    (delete,) = look((a_pod("web-0", phase="Succeeded"),), (), Missing(NodeName("n1"), Age(40))).requests
    assert delete == Delete(Ref("Pod", "default", "web-0"), 0)


def test_a_deleted_pod_that_was_never_scheduled_goes() -> None:
    assert len(look((a_pod(node=None, phase="Pending", deleted=True),)).requests) == 2
    assert look((a_pod(node=None, phase="Pending"),)).requests == ()


def test_a_deleted_pod_of_a_node_out_of_service_goes() -> None:
    deleted = (a_pod(deleted=True),)
    assert len(look(deleted, (a_node("Unknown", OUT_OF_SERVICE),)).requests) == 2
    assert look(deleted, (a_node("True", OUT_OF_SERVICE),)).requests == ()
    assert look(deleted, (a_node("Unknown", "other"),)).requests == ()
    assert look((a_pod(),), (a_node("Unknown", OUT_OF_SERVICE),)).requests == ()


def test_a_pod_that_only_finalizers_keep_is_not_asked_for_again() -> None:
    pod = a_pod(node=None, deleted=True)
    held = replace(
        pod, metadata=replace(pod.metadata, deletion_grace_period_seconds=0, finalizers=("example.com/hold",))
    )
    assert look((held,)).requests == ()


def test_ended_pods_above_the_threshold_go_evicted_and_old_ones_first() -> None:
    old = a_pod("a", phase="Succeeded", created=300)
    young = a_pod("b", phase="Succeeded", created=100)
    evicted = replace(a_pod("c", phase="Failed"), status=PodStatus("Failed", reason="Evicted"))
    running = a_pod("d", created=900)
    assert surplus((young, running, evicted, old), 2) == (evicted,)
    assert surplus((young, running, evicted, old), 1) == (evicted, old)
    assert surplus((young, running, evicted, old), 0) == ()
    assert look((old, young), (a_node(),)).requests == (Delete(Ref("Pod", "default", "a"), 0),)


@given(
    st.lists(
        st.builds(
            a_pod,
            st.sampled_from("abcdef"),
            phase=st.sampled_from(["Running", "Succeeded", "Failed", "Pending"]),
            created=st.integers(0, 9),
        ),
        max_size=8,
    ),
    st.integers(1, 5),
)
def test_exactly_the_threshold_is_left(pods: list[Pod], threshold: int) -> None:
    ended = sum(is_ended(pod) for pod in pods)
    assert len(surplus(pods, threshold)) == max(0, ended - threshold)
    assert all(is_ended(pod) for pod in surplus(pods, threshold))
