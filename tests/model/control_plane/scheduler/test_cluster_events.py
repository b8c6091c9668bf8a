"""What two views differ in, as events."""

from __future__ import annotations

from kythera.model.api.core.container import Container, ResourceRequirements
from kythera.model.api.core.node import Node, NodeSpec, NodeStatus
from kythera.model.api.core.pod import Pod, PodSpec, PodStatus
from kythera.model.api.core.scheduling import PodSchedulingGate, Taint, Toleration
from kythera.model.api.core.service import Service
from kythera.model.api.meta import Condition, ObjectMeta
from kythera.model.api.quantity import parse_quantity
from kythera.model.control_plane.scheduler.cluster_events import (
    ADD,
    DELETE,
    NODE_ALLOCATABLE,
    NODE_LABEL,
    NODE_TAINT,
    POD_GATES_ELIMINATED,
    POD_LABEL,
    POD_SCALE_DOWN,
    POD_TOLERATION,
    UPDATE,
    ClusterEvent,
    cluster_events,
)
from kythera.model.record import Map, NodeName, Record, Uid, replace
from kythera.model.view import view

NODE = Node(ObjectMeta(name="n1", uid=Uid(9)))
POD = Pod(ObjectMeta(name="p", namespace="default", uid=Uid(1)))
BOUND = Pod(POD.metadata, PodSpec(node_name=NodeName("n1")))


def pods(before: Pod | None, after: Pod | None) -> tuple[ClusterEvent, ...]:
    return cluster_events(view(Pod=(before,) if before else ()), view(Pod=(after,) if after else ()))


def nodes(after: Node) -> tuple[str, ...]:
    return tuple(a for event in cluster_events(view(Node=(NODE,)), view(Node=(after,))) for a in event.actions)


def asking(pod: Pod, cpu: str) -> Pod:
    container = Container(name="c", resources=ResourceRequirements(Map({"cpu": parse_quantity(cpu)})))
    return replace(pod, spec=replace(pod.spec, containers=(container,)))


def test_equal_views_differ_in_nothing() -> None:
    assert cluster_events(view(Pod=(POD,), Node=(NODE,)), view(Pod=(POD,), Node=(NODE,))) == ()


def test_nodes_come_and_go() -> None:
    assert cluster_events(view(), view(Node=(NODE,))) == (ClusterEvent("Node", (ADD,), new=NODE),)
    assert cluster_events(view(Node=(NODE,)), view(Node=())) == (ClusterEvent("Node", (DELETE,), old=NODE),)


def test_each_way_in_which_a_node_changes_is_told() -> None:
    assert nodes(replace(NODE, metadata=replace(NODE.metadata, labels=Map({"a": "b"})))) == (NODE_LABEL,)
    assert nodes(replace(NODE, spec=NodeSpec(taints=(Taint("t", "", "NoSchedule"),)))) == (NODE_TAINT,)
    more = NodeStatus(allocatable=Map({"cpu": parse_quantity("1")}))
    assert nodes(Node(replace(NODE.metadata, labels=Map({"a": "b"})), NODE.spec, more)) == (
        NODE_ALLOCATABLE,
        NODE_LABEL,
    )


def test_a_cordon_is_no_event_and_its_end_is_one() -> None:
    cordoned = replace(NODE, spec=NodeSpec(unschedulable=True))
    assert nodes(cordoned) == ()
    (event,) = cluster_events(view(Node=(cordoned,)), view(Node=(NODE,)))
    assert event.actions == (NODE_TAINT,)


def test_a_pod_is_added_when_it_is_bound_and_deleted_when_it_has_gone() -> None:
    assert pods(None, BOUND) == pods(POD, BOUND) == (ClusterEvent("Pod", (ADD,), new=BOUND),)
    assert pods(BOUND, None) == (ClusterEvent("Pod", (DELETE,), old=BOUND),)


def test_waiting_pods_that_come_and_go_tell_the_others_nothing() -> None:
    assert pods(None, POD) == pods(POD, None) == ()


def test_the_update_of_a_waiting_pod_is_about_itself_alone() -> None:
    reported = replace(POD, status=PodStatus(conditions=(Condition("PodScheduled", "False"),)))
    (event,) = pods(POD, reported)
    assert (event.actions, event.about) == ((UPDATE,), 1)


def test_the_update_of_a_bound_pod_is_about_everybody() -> None:
    (event,) = pods(BOUND, replace(BOUND, metadata=replace(BOUND.metadata, labels=Map({"a": "b"}))))
    assert (event.actions, event.about) == ((POD_LABEL,), None)


def test_each_way_in_which_a_pod_changes_is_told() -> None:
    before = replace(asking(POD, "2"), spec=replace(asking(POD, "2").spec, scheduling_gates=(PodSchedulingGate("g"),)))
    after = replace(asking(POD, "1"), spec=replace(asking(POD, "1").spec, tolerations=(Toleration(operator="Exists"),)))
    (event,) = pods(before, after)
    assert event.actions == (POD_SCALE_DOWN, POD_GATES_ELIMINATED, POD_TOLERATION)
    assert pods(asking(POD, "1"), asking(POD, "2"))[0].actions == (UPDATE,)


def test_objects_of_one_name_with_another_uid_are_another_object() -> None:
    again: Record = replace(NODE, metadata=replace(NODE.metadata, uid=Uid(10)))
    found = cluster_events(view(Node=(NODE,)), view(Node=(again,)))
    assert [event.actions for event in found] == [(DELETE,), (ADD,)]


def test_other_kinds_are_told_plainly() -> None:
    service = Service(ObjectMeta(name="s", namespace="default", uid=Uid(3)))
    (event,) = cluster_events(view(Service=()), view(Service=(service,)))
    assert (event.kind, event.actions) == ("Service", (ADD,))
