"""Queueing hints: each plugin's, and that together they miss nothing but what is known to be missed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kythera.model.api.core.container import Container, ContainerPort, ResourceRequirements
from kythera.model.api.core.node import Node, NodeSpec, NodeStatus
from kythera.model.api.core.pod import Pod, PodSpec
from kythera.model.api.core.scheduling import (
    Affinity,
    PodAffinity,
    PodAffinityTerm,
    PodAntiAffinity,
    Taint,
    Toleration,
    TopologySpreadConstraint,
)
from kythera.model.api.meta import LabelSelector, ObjectMeta
from kythera.model.api.pod_affinity import required_affinity_terms
from kythera.model.api.quantity import Quantity
from kythera.model.control_plane.scheduler.cluster_events import ClusterEvent, cluster_events
from kythera.model.control_plane.scheduler.filters import FILTERS
from kythera.model.control_plane.scheduler.queueing_hints import OF_NODES, OF_PODS, may_help
from kythera.model.control_plane.scheduler.scheduler import place, snapshot_of
from kythera.model.record import Map, NodeName, Uid, replace
from kythera.model.view import View, view

HOST, ZONE = "kubernetes.io/hostname", "zone"
TAINT = Taint("t", "", "NoSchedule")
ANYTHING = (Toleration(operator="Exists"),)


def node(name: str = "n1", cpu: int = 2, *, zone: str = "a", cordoned: bool = False, taints: Any = ()) -> Node:
    room = Map({"cpu": Quantity(cpu * 10**9), "pods": Quantity(3 * 10**9)})
    labels = {HOST: name, **({ZONE: zone} if zone else {})}
    return Node(
        ObjectMeta(name=name, uid=Uid(100 + int(name[1:])), labels=Map(labels)),
        NodeSpec(cordoned, taints),
        NodeStatus(allocatable=room),
    )


def pod(uid: int = 1, on: str = "", *, cpu: int = 1, app: str = "", port: int = 0, **spec: Any) -> Pod:
    asks = ResourceRequirements(Map({"cpu": Quantity(cpu * 10**9)}) if cpu else Map())
    container = Container(name="c", resources=asks, ports=(ContainerPort(host_port=port),) if port else ())
    return Pod(
        ObjectMeta(name=f"p{uid}", namespace="default", uid=Uid(uid), labels=Map({"app": app} if app else {})),
        PodSpec(containers=(container,), node_name=NodeName(on) if on else None, **spec),
    )


def term(app: str, key: str = HOST) -> PodAffinityTerm:
    return PodAffinityTerm(LabelSelector(Map({"app": app})), topology_key=key)


def near(app: str, key: str = ZONE) -> Affinity:
    return Affinity(None, PodAffinity((term(app, key),)), None)


def away(app: str, key: str = ZONE) -> Affinity:
    return Affinity(None, None, PodAntiAffinity((term(app, key),)))


def spread(app: str) -> tuple[TopologySpreadConstraint, ...]:
    return (TopologySpreadConstraint(1, ZONE, "DoNotSchedule", LabelSelector(Map({"app": app}))),)


def changed(old: Node | Pod | None, new: Node | Pod | None) -> ClusterEvent:
    kind = type(old or new).__name__
    one = view(**{kind: () if old is None else (old,)})
    other = view(**{kind: () if new is None else (new,)})
    (event,) = cluster_events(one, other)
    return event


CASES = [
    ("NodeUnschedulable", pod(), node(cordoned=True), node(), True),
    ("NodeUnschedulable", pod(), None, node(), True),
    ("NodeUnschedulable", pod(), None, node(cordoned=True), False),
    ("NodeUnschedulable", pod(), node(), node(taints=(TAINT,)), False),
    ("NodeUnschedulable", pod(), node(cordoned=True), node(cordoned=True, zone="b"), False),
    ("NodeUnschedulable", pod(), pod(), pod(tolerations=ANYTHING), True),
    ("NodeUnschedulable", pod(), pod(2), pod(2, tolerations=ANYTHING), False),
    ("NodeName", pod(), None, node(), True),
    ("NodeName", pod(), node(cordoned=True), node(), False),
    ("TaintToleration", pod(), node(taints=(TAINT,)), node(), True),
    ("TaintToleration", pod(), node(), node(taints=(TAINT,)), False),
    ("TaintToleration", pod(tolerations=ANYTHING), node(taints=(TAINT,)), node(), False),
    ("TaintToleration", pod(), None, node(taints=(TAINT,)), False),
    ("TaintToleration", pod(), pod(), pod(tolerations=ANYTHING), True),
    ("NodeAffinity", pod(node_selector=Map({ZONE: "b"})), node(), node(zone="b"), True),
    ("NodeAffinity", pod(node_selector=Map({ZONE: "b"})), node(zone="b"), node(), False),
    ("NodeAffinity", pod(node_selector=Map({ZONE: "b"})), None, node(), False),
    ("NodeAffinity", pod(node_selector=Map({ZONE: "b"})), node(zone="b", taints=(TAINT,)), node(zone="b"), False),
    ("NodePorts", pod(port=80), pod(2, "n1", port=80), None, True),
    ("NodePorts", pod(port=80), pod(2, "n1", port=81), None, False),
    ("NodePorts", pod(port=80), None, pod(2, "n1"), False),
    ("NodePorts", pod(port=80), None, node(), True),
    ("NodeResourcesFit", pod(), pod(2, "n1"), None, True),
    ("NodeResourcesFit", pod(), pod(2, "n1", cpu=2), pod(2, "n1", cpu=1), True),
    ("NodeResourcesFit", pod(cpu=0), pod(2, "n1", cpu=2), pod(2, "n1", cpu=1), False),
    ("NodeResourcesFit", pod(), pod(2, "n1", cpu=1), pod(2, "n1", cpu=2), False),
    ("NodeResourcesFit", pod(), pod(cpu=2), pod(), True),
    ("NodeResourcesFit", pod(cpu=3), node(cpu=2), node(cpu=3), True),
    ("NodeResourcesFit", pod(cpu=4), node(cpu=2), node(cpu=3), False),
    ("NodeResourcesFit", pod(cpu=0), node(cpu=2), node(cpu=3), False),
    ("NodeResourcesFit", pod(), None, node(cpu=1), True),
    ("NodeResourcesFit", pod(), node(cordoned=True), node(), False),
    ("PodTopologySpread", pod(topology_spread_constraints=spread("a")), None, pod(2, "n1", app="a"), True),
    ("PodTopologySpread", pod(topology_spread_constraints=spread("a")), pod(2, "n1", app="a"), None, True),
    ("PodTopologySpread", pod(topology_spread_constraints=spread("a")), None, pod(2, "n1", app="b"), False),
    (
        "PodTopologySpread",
        pod(topology_spread_constraints=spread("a")),
        pod(2, "n1", app="b"),
        pod(2, "n1", app="a"),
        True,
    ),
    ("PodTopologySpread", pod(topology_spread_constraints=spread("a")), node(zone="a"), node(zone="b"), True),
    ("PodTopologySpread", pod(topology_spread_constraints=spread("a")), node(zone="a"), node(zone=""), True),
    ("PodTopologySpread", pod(topology_spread_constraints=spread("a")), node(), None, True),
    ("PodTopologySpread", pod(topology_spread_constraints=spread("a")), None, node(zone=""), False),
    ("InterPodAffinity", pod(affinity=near("a")), None, pod(2, "n1", app="a"), True),
    ("InterPodAffinity", pod(affinity=near("a")), None, pod(2, "n1", app="b"), False),
    ("InterPodAffinity", pod(affinity=near("a")), pod(2, "n1", app="b"), pod(2, "n1", app="a"), True),
    ("InterPodAffinity", pod(affinity=near("a")), pod(2, "n1", app="a"), None, False),
    ("InterPodAffinity", pod(affinity=away("a")), pod(2, "n1", app="a"), None, True),
    ("InterPodAffinity", pod(affinity=away("a")), pod(2, "n1", app="a"), pod(2, "n1", app="b"), True),
    ("InterPodAffinity", pod(app="a"), pod(2, "n1", affinity=away("a")), None, True),
    ("InterPodAffinity", pod(app="b"), pod(2, "n1", affinity=away("a")), None, False),
    ("InterPodAffinity", pod(affinity=near("a")), None, node(), True),
    ("InterPodAffinity", pod(affinity=near("a")), None, node(zone=""), False),
    ("InterPodAffinity", pod(affinity=near("a")), node(zone="b"), node(zone="a"), True),
    ("InterPodAffinity", pod(affinity=away("a")), None, node(zone=""), True),
    ("InterPodAffinity", pod(affinity=away("a")), node(zone="a"), node(zone=""), True),
    ("InterPodAffinity", pod(affinity=away("a")), node(zone=""), node(zone="a"), False),
]


@pytest.mark.parametrize(("plugin", "waiting", "old", "new", "helps"), CASES)
def test_what_each_plugin_makes_of_an_event(
    plugin: str, waiting: Pod, old: Node | Pod | None, new: Node | Pod | None, helps: bool
) -> None:
    assert may_help(plugin, waiting, changed(old, new)) == helps


def test_each_plugin_registers_for_both_kinds() -> None:
    assert OF_PODS.keys() == OF_NODES.keys()


def test_a_pod_that_needs_its_like_is_not_woken_when_the_last_of_them_goes() -> None:
    """Kubernetes issue 141354: it could then be the first of them anywhere."""
    waiting = pod(1, app="a", affinity=near("a", HOST))
    nodes = (node("n1", cordoned=True), node("n2"))
    before, after = view(Pod=(waiting, pod(2, "n1", app="a")), Node=nodes), view(Pod=(waiting,), Node=nodes)
    rejected = place(waiting, snapshot_of(before, ())).plugins
    assert rejected == ("InterPodAffinity", "NodeUnschedulable")
    assert place(waiting, snapshot_of(after, ())).nodes == ("n2",)
    assert not any(may_help(plugin, waiting, event) for plugin in rejected for event in cluster_events(before, after))


NODES = st.builds(
    node,
    st.just("n1"),
    st.integers(0, 2),
    zone=st.sampled_from(["", "a", "b"]),
    cordoned=st.booleans(),
    taints=st.sampled_from([(), (TAINT,)]),
)
APPS = st.sampled_from(["", "a"])
RULES = st.sampled_from([{}, {"affinity": away("a")}, {"affinity": away("a", HOST)}])
OTHERS = st.builds(
    lambda uid, on, cpu, app, port, rules: pod(uid, on, cpu=cpu, app=app, port=port, **rules),
    st.just(2), st.sampled_from(["", "n1", "n2"]), st.integers(0, 2), APPS, st.sampled_from([0, 80]), RULES,
)  # fmt: skip
WAITING = st.builds(
    lambda cpu, app, port, rules: pod(1, cpu=cpu, app=app, port=port, **rules),
    st.integers(0, 2), APPS, st.sampled_from([0, 80]),
    st.sampled_from(
        [
            {}, {"affinity": away("a")}, {"affinity": near("a")}, {"topology_spread_constraints": spread("a")},
            {"node_selector": Map({ZONE: "a"})}, {"tolerations": ANYTHING},
        ]
    ),
)  # fmt: skip


def numbered(made: Node, name: str) -> Node:
    labels = made.metadata.labels.set(HOST, name)
    return replace(made, metadata=replace(made.metadata, name=name, uid=Uid(100 + int(name[1:])), labels=labels))


@st.composite
def changes(draw: st.DrawFn) -> tuple[Pod, View, View]:
    """A waiting pod among up to two nodes and other pods, and the same after one object has changed.

    A node goes only when no pod is on it; that it has gone with its pods is told by the pods.
    """
    waiting = draw(WAITING)
    nodes = {name: numbered(draw(NODES), name) for name in draw(st.sampled_from([("n1",), ("n1", "n2")]))}
    others = {n: replace(draw(OTHERS), metadata=pod(n).metadata) for n in range(2, draw(st.integers(2, 4)))}
    for n, each in others.items():
        labels = Map({"app": "a"} if draw(st.booleans()) else {})
        others[n] = replace(each, metadata=replace(each.metadata, labels=labels))
    before = view(Pod=(waiting, *others.values()), Node=tuple(nodes.values()))
    what = draw(st.sampled_from(["pod", "node"]))
    if what == "node":
        name = draw(st.sampled_from(["n1", "n2"]))
        after = {**nodes, name: numbered(draw(NODES), name)}
        if all(each.spec.node_name != name for each in others.values()) and draw(st.booleans()):
            after.pop(name)
        return waiting, before, view(Pod=before.list(Pod), Node=tuple(after.values()))
    number = draw(st.sampled_from([2, 3, 4]))
    made = draw(OTHERS)
    if number in others:  # of a pod, only the labels, the requests and the node, if it has none yet, can change
        old = others[number]
        on = old.spec.node_name or made.spec.node_name
        spec = replace(old.spec, node_name=on, containers=pod(number, cpu=draw(st.integers(0, 2))).spec.containers)
        ports = tuple(replace(c, ports=old.spec.containers[0].ports) for c in spec.containers)
        made = replace(old, spec=replace(spec, containers=ports))
    labels = Map({"app": "a"} if draw(st.booleans()) else {})
    meta = replace(made.metadata, name=f"p{number}", uid=Uid(number), labels=labels)
    kept = {**others, number: replace(made, metadata=meta)}
    if draw(st.booleans()):
        kept.pop(number)
    return waiting, before, view(Pod=(waiting, *kept.values()), Node=before.list(Node))


@settings(max_examples=1000, deadline=None)
@given(changes())
def test_no_change_that_makes_a_node_fit_is_missed(change: tuple[Pod, View, View]) -> None:
    """But for pods that need their like, on whose behalf deletions are not looked at."""
    waiting, before, after = change
    rejected = place(waiting, snapshot_of(before, ()))
    needs_its_like = waiting.metadata.labels and required_affinity_terms(waiting)
    if not rejected.plugins or needs_its_like or not place(waiting, snapshot_of(after, ())).nodes:
        return
    events = cluster_events(before, after)
    helped = [plugin for plugin in rejected.plugins if any(may_help(plugin, waiting, event) for event in events)]
    assert helped, (rejected, events)


def test_the_filters_are_those_whose_hints_are_known() -> None:
    known = {name for name, _ in FILTERS} & OF_PODS.keys()
    assert known == OF_PODS.keys()
