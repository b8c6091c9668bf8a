"""Which pods the descheduler would rather see elsewhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kythera.model.api.core.container import Container, ResourceRequirements
from kythera.model.api.core.node import Node, NodeSpec, NodeStatus
from kythera.model.api.core.pod import Pod, PodSpec, PodStatus, Volume
from kythera.model.api.core.scheduling import Taint, TopologySpreadConstraint
from kythera.model.api.meta import Condition, LabelSelector, ObjectMeta, OwnerReference
from kythera.model.api.quantity import quantity
from kythera.model.control_plane.controllers.descheduler.low_node_utilization import low_node_utilization
from kythera.model.control_plane.controllers.descheduler.remove_duplicates import remove_duplicates
from kythera.model.control_plane.controllers.descheduler.situation import is_evictable, situation
from kythera.model.control_plane.controllers.descheduler.topology_spread import (
    remove_pods_violating_topology_spread_constraint,
)
from kythera.model.record import Age, Map, NodeName, Uid, replace

OWNER = OwnerReference("apps/v1", "ReplicaSet", "web", Uid(1), True)
LABELS = Map({"app": "web"})
SPREAD = TopologySpreadConstraint(1, "zone", "DoNotSchedule", LabelSelector(LABELS))


def a_node(name: str, cpu: str = "1", zone: str = "", taints: tuple[Taint, ...] = (), ready: str = "True") -> Node:
    room = Map({"cpu": quantity(cpu), "memory": quantity("1Gi"), "pods": quantity("100")})
    return Node(
        ObjectMeta(name, labels=Map({"zone": zone or name})),
        NodeSpec(taints=taints),
        NodeStatus(room, room, (Condition("Ready", ready),)),
    )


def a_pod(uid: int, node: str, cpu: str = "0", image: str = "web:1", priority: int | None = 0) -> Pod:
    requests = ResourceRequirements(requests=Map({"cpu": quantity(cpu)}))
    return Pod(
        ObjectMeta(namespace="default", uid=Uid(uid), labels=LABELS, owner_references=(OWNER,)),
        PodSpec((Container("main", image, resources=requests),), node_name=NodeName(node), priority=priority),
        PodStatus("Running"),
    )


def pods_on(*numbers: int, **more: str) -> tuple[Pod, ...]:
    """So many pods on n0, n1, ..."""
    places = [f"n{n}" for n, number in enumerate(numbers) for _ in range(number)]
    return tuple(a_pod(uid, place, **more) for uid, place in enumerate(places, 10))


def nodes(number: int) -> tuple[Node, ...]:
    return tuple(a_node(f"n{n}") for n in range(number))


def places(pods: tuple[Pod, ...]) -> list[str | None]:
    return [pod.spec.node_name for pod in pods]


def test_pods_that_nobody_would_replace_or_that_are_tied_to_their_node_stay() -> None:
    pod = a_pod(1, "n0")
    meta, spec = pod.metadata, pod.spec
    assert is_evictable(pod)
    assert not is_evictable(replace(pod, metadata=replace(meta, owner_references=())))
    assert not is_evictable(replace(pod, metadata=replace(meta, deletion_timestamp=Age(0))))
    assert not is_evictable(
        replace(pod, metadata=replace(meta, owner_references=(OwnerReference("apps/v1", "DaemonSet", "log"),)))
    )
    mirror = Map({"kubernetes.io/config.mirror": "x"})
    assert not is_evictable(replace(pod, metadata=replace(meta, annotations=mirror)))
    assert not is_evictable(replace(pod, spec=replace(spec, priority=2_000_000_000)))
    assert not is_evictable(replace(pod, spec=replace(spec, volumes=(Volume("tmp", opaque='{"emptyDir": {}}'),))))


def test_duplicates_leave_a_crowded_node_if_another_would_take_them() -> None:
    assert places(remove_duplicates(situation(nodes(2), pods_on(3, 0)))) == ["n0"]
    assert places(remove_duplicates(situation(nodes(2), pods_on(4, 0)))) == ["n0", "n0"]
    assert remove_duplicates(situation(nodes(2), pods_on(2, 1))) == ()
    assert remove_duplicates(situation(nodes(1), pods_on(3))) == ()


def test_duplicates_stay_if_all_other_nodes_are_tainted_or_not_ready() -> None:
    tainted = (a_node("n0"), a_node("n1", taints=(Taint("a", "", "NoSchedule"),)))
    assert remove_duplicates(situation(tainted, pods_on(4, 0))) == ()
    assert remove_duplicates(situation((a_node("n0"), a_node("n1", ready="Unknown")), pods_on(4, 0))) == ()


def test_pods_with_other_images_are_no_duplicates() -> None:
    pods = (a_pod(1, "n0", image="a"), a_pod(2, "n0", image="b"))
    assert remove_duplicates(situation(nodes(2), pods)) == ()


@given(st.lists(st.integers(0, 5), min_size=2, max_size=4))
def test_without_duplicates_no_node_has_more_than_its_share(numbers: list[int]) -> None:
    there = situation(nodes(len(numbers)), pods_on(*numbers))
    left = there.without(remove_duplicates(there))
    share = -(-sum(numbers) // len(numbers))
    assert all(len(left.on(node)) <= max(1, share) for node in there.nodes)
    assert remove_duplicates(there) == () or max(numbers) > 1


@pytest.mark.parametrize(
    ("numbers", "leaving"), [((2, 1), []), ((3, 0), ["n0"]), ((4, 0), ["n0", "n0"]), ((5, 3, 1), ["n0", "n0"])]
)
def test_pods_leave_domains_that_are_too_crowded_for_their_constraint(
    numbers: tuple[int, ...], leaving: list[str]
) -> None:
    pods = tuple(replace(p, spec=replace(p.spec, topology_spread_constraints=(SPREAD,))) for p in pods_on(*numbers))
    found = remove_pods_violating_topology_spread_constraint(situation(nodes(len(numbers)), pods))
    assert places(found) == leaving


def test_constraints_that_are_only_preferred_move_nobody() -> None:
    soft = replace(SPREAD, when_unsatisfiable="ScheduleAnyway")
    pods = tuple(replace(p, spec=replace(p.spec, topology_spread_constraints=(soft,))) for p in pods_on(4, 0))
    assert remove_pods_violating_topology_spread_constraint(situation(nodes(2), pods)) == ()


def test_pods_that_fit_nowhere_else_stay_in_their_domain() -> None:
    pods = tuple(
        replace(p, spec=replace(p.spec, topology_spread_constraints=(SPREAD,))) for p in pods_on(3, 0, cpu="300m")
    )
    assert remove_pods_violating_topology_spread_constraint(situation((a_node("n0"), a_node("n1", "200m")), pods)) == ()


def test_pods_leave_overused_nodes_until_these_are_used_as_intended() -> None:
    found = low_node_utilization(situation(nodes(2), pods_on(7, 0, cpu="100m")))
    assert places(found) == ["n0", "n0"], "70 % become 50 %"


def test_nothing_moves_unless_a_node_is_underused_and_another_overused() -> None:
    assert low_node_utilization(situation(nodes(2), pods_on(4, 0, cpu="100m"))) == ()
    assert low_node_utilization(situation(nodes(2), pods_on(7, 3, cpu="100m"))) == ()
    assert low_node_utilization(situation(nodes(2), pods_on(1, 1, cpu="100m"))) == ()


def test_the_least_important_pod_goes_first() -> None:
    pods = (*pods_on(6, 0, cpu="100m"), a_pod(50, "n0", "100m", priority=-5))
    first, *_ = low_node_utilization(situation(nodes(2), pods))
    assert first.metadata.uid == 50


@given(st.integers(0, 10), st.integers(0, 10))
def test_underused_nodes_are_not_filled_above_their_target(there: int, here: int) -> None:
    found = low_node_utilization(situation(nodes(2), pods_on(there, here, cpu="100m")))
    if found:
        assert min(there, here) + len(found) <= 5
