"""Nodes that fall silent and come back."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from kythera.model.api.coordination import Lease, LeaseSpec
from kythera.model.api.core.node import Node, NodeSpec, NodeStatus
from kythera.model.api.core.pod import Pod, PodSpec, PodStatus
from kythera.model.api.core.scheduling import Taint
from kythera.model.api.meta import Condition, ObjectMeta
from kythera.model.api.pods import condition
from kythera.model.control_plane.controllers.node_lifecycle import controller
from kythera.model.control_plane.controllers.node_lifecycle.health import (
    NOT_READY,
    UNREACHABLE,
    condition_taints,
    ready_status,
    silent,
)
from kythera.model.control_plane.controllers.node_lifecycle.monitor import LEASES, ZONES, Monitor, Tainted
from kythera.model.controller import Reply, Step
from kythera.model.record import Age, Map, NodeName, Record, Uid, replace
from kythera.model.request import Update, ref_of
from kythera.model.view import View, view

READY = Condition("Ready", "True", last_transition_time=Age(7))


def a_node(name: str = "n1", ready: str | None = "True", zone: str = "", taints: tuple[Taint, ...] = ()) -> Node:
    conditions = () if ready is None else (replace(READY, status=ready),)
    labels = Map({"topology.kubernetes.io/zone": zone}) if zone else Map({})
    meta = ObjectMeta(name, uid=Uid(int(name[1:])), labels=labels)
    return Node(meta, NodeSpec(taints=taints), NodeStatus(conditions=conditions))


def a_pod(uid: int = 10, node: str = "n1", ready: str | None = "True") -> Pod:
    conditions = (Condition("PodScheduled", "True"), *(() if ready is None else (replace(READY, status=ready),)))
    meta = ObjectMeta(generate_name="web-", namespace="default", uid=Uid(uid))
    return Pod(meta, PodSpec(node_name=NodeName(node)), PodStatus("Running", conditions))


def seen(nodes: tuple[Node, ...], ages: Mapping[str, int] = {}, pods: tuple[Pod, ...] = ()) -> View:
    leases = tuple(
        Lease(ObjectMeta(each.metadata.name, namespace=LEASES), LeaseSpec(renew_time=Age(ages[each.metadata.name])))
        for each in nodes
        if each.metadata.name in ages
    )
    return view(Node=nodes, Pod=pods, Lease=leases)


def look(state: View, node: Node, local: Monitor | None = None, **settings: str) -> Step:
    variants = ("mark_pods", "eviction_policy")
    chosen = controller(
        {f"nodectl.{key}" if key in variants else key.replace("_", "-"): value for key, value in settings.items()}
    )
    (step,) = chosen.reconcile(local or Monitor(), state, ref_of(node))
    return step


def updated(step: Step) -> list[Record]:
    assert all(isinstance(each, Update) for each in step.requests)
    return [each.object for each in step.requests if isinstance(each, Update)]


def the_node(step: Step) -> Node:
    node = updated(step)[0]
    assert isinstance(node, Node)
    return node


def keys_of(node: Node, effect: str) -> list[str]:
    return [taint.key for taint in node.spec.taints if taint.effect == effect]


def test_a_node_with_a_young_lease_is_left_alone_until_its_grace_period_ends() -> None:
    node = a_node()
    step = look(seen((node,), {"n1": 20}), node)
    assert step.requests == ()
    assert step.requeue_after == 30


def test_a_node_without_a_lease_is_left_alone() -> None:
    node = a_node()
    assert look(seen((node,)), node).requests == ()


def test_a_silent_node_becomes_unknown_and_its_ready_pods_are_marked_after_it() -> None:
    node, pods = a_node(), (a_pod(10), a_pod(11, "n2"), a_pod(12, ready="False"), a_pod(13, ready=None))
    step = look(seen((node,), {"n1": 50}, pods), node)
    first, *marks = step.requests
    assert isinstance(first, Update)
    assert first.subresource == "status"
    ready = condition(the_node(step).status.conditions, "Ready")
    assert ready is not None
    assert (ready.status, ready.reason, ready.last_transition_time) == ("Unknown", "NodeStatusUnknown", 0)
    never = condition(the_node(step).status.conditions, "DiskPressure")
    assert never is not None
    assert never.reason == "NodeStatusNeverUpdated"
    (mark,) = marks
    assert isinstance(mark, Update)
    assert isinstance(mark.object, Pod)
    assert (mark.object.metadata.uid, mark.subresource, mark.unconditional) == (10, "conditions", True)
    assert [(each.type, each.status) for each in mark.object.status.conditions] == [("Ready", "False")]


def test_the_grace_period_is_a_setting() -> None:
    node = a_node()
    assert look(seen((node,), {"n1": 50}), node, node_monitor_grace_period="2m").requeue_after == 70


def test_who_finds_a_node_unknown_already_marks_no_pods_with_edge_and_does_with_level() -> None:
    other = a_node("n2")
    node = silent(a_node())
    node = replace(node, spec=NodeSpec(taints=(*condition_taints(node), Taint(UNREACHABLE, "", "NoExecute"))))
    state = seen((node, other), {"n1": 50, "n2": 0}, (a_pod(),))
    assert look(state, node).requests == ()
    (mark,) = updated(look(state, node, mark_pods="level"))
    assert isinstance(mark, Pod)


def test_pods_that_could_not_be_marked_are_tried_again_as_long_as_it_is_remembered() -> None:
    node = silent(a_node())
    chosen = controller()
    refused = Update(a_pod(), "conditions", unconditional=True)
    local = chosen.replied(Monitor(), ref_of(node), refused, Reply(500, "InternalError"))
    assert local == Monitor(retry=frozenset({NodeName("n1")}))
    assert chosen.replied(Monitor(), ref_of(node), refused, Reply(200)) == Monitor()
    step = look(seen((node, a_node("n2")), {"n1": 50}, (a_pod(),)), node, local)
    assert len(step.requests) == 1
    assert step.local == Monitor()
    assert look(seen((node,), {"n1": 50}), node, local).local == Monitor()


def test_a_node_that_is_heard_of_again_becomes_ready_and_loses_its_taints() -> None:
    node = silent(a_node())
    step = look(seen((node,), {"n1": 3}), node)
    back = the_node(step)
    assert ready_status(back) == "True"
    pressure = condition(back.status.conditions, "MemoryPressure")
    assert pressure is not None
    assert pressure.status == "False"
    tainted = replace(back, spec=NodeSpec(taints=(*condition_taints(node), Taint(UNREACHABLE, "", "NoExecute"))))
    after = the_node(look(seen((tainted,), {"n1": 3}), tainted))
    assert keys_of(after, "NoSchedule") == []
    last = the_node(look(seen((after,), {"n1": 3}), after))
    assert last.spec.taints == ()


def test_a_node_that_reports_that_it_is_not_ready_is_believed() -> None:
    node = a_node(ready="False")
    state = seen((node, a_node("n2")), {"n1": 3, "n2": 3})
    assert keys_of(the_node(look(state, node)), "NoSchedule") == [NOT_READY]


@pytest.mark.parametrize(
    ("ready", "key", "other"), [("False", NOT_READY, UNREACHABLE), ("Unknown", UNREACHABLE, NOT_READY)]
)
def test_the_taints_for_eviction_follow_the_ready_condition_and_are_exchanged_at_once(
    ready: str, key: str, other: str
) -> None:
    node = a_node(ready=ready)
    node = replace(node, spec=NodeSpec(taints=condition_taints(node)))
    state = seen((node, a_node("n2")), {"n1": 0, "n2": 0})
    step = look(state, node)
    assert keys_of(the_node(step), "NoExecute") == [key]
    assert step.local == Monitor(tainted=(Tainted("", Age(-10)),))
    wrong = replace(node, spec=NodeSpec(taints=(*node.spec.taints, Taint(other, "", "NoExecute"))))
    state = seen((wrong, a_node("n2")), {"n1": 0, "n2": 0})
    step = look(state, wrong, Monitor(tainted=(Tainted("", Age(-4)),)))
    assert keys_of(the_node(step), "NoExecute") == [key]


def test_the_next_node_of_a_zone_waits_and_that_of_another_zone_does_not() -> None:
    nodes = tuple(a_node(f"n{n}", ready="False", zone=zone) for n, zone in enumerate("aab"))
    nodes = tuple(replace(each, spec=NodeSpec(taints=condition_taints(each))) for each in nodes)
    state = seen((*nodes, a_node("n9", zone="a")))
    first = look(state, nodes[0])
    assert look(state, nodes[1], first.local).requests == ()
    assert look(state, nodes[1], first.local).requeue_after == 10
    assert look(state, nodes[2], first.local).requests != ()
    (forgotten,) = controller().reconcile(Monitor(tainted=(Tainted(":a", Age(0)),)), state, ZONES)
    assert forgotten.local == Monitor()


def test_nothing_is_evicted_when_no_node_at_all_is_ready() -> None:
    nodes = tuple(a_node(f"n{n}") for n in (1, 2))
    first = silent(nodes[0])
    first = replace(first, spec=NodeSpec(taints=condition_taints(first)))
    state = seen((first, nodes[1]), {"n1": 50, "n2": 50})
    assert look(state, first).requests == (), "the other node is silent as well, and that has not been written yet"
    tainted = replace(first, spec=NodeSpec(taints=(*first.spec.taints, Taint(UNREACHABLE, "", "NoExecute"))))
    after = the_node(look(seen((tainted, nodes[1]), {"n1": 50, "n2": 50}), tainted))
    assert keys_of(after, "NoExecute") == []


@pytest.mark.parametrize(
    ("policy", "most", "all_of_them"),
    [("zone_threshold", False, False), ("all_down_stopgap", True, False), ("naive", True, True)],
)
def test_an_older_controller_goes_on_when_most_or_all_nodes_fall_silent(
    policy: str, most: bool, all_of_them: bool
) -> None:
    """https://github.com/kubernetes/kubernetes/issues/24200."""
    lost = [silent(a_node(f"n{n}")) for n in (1, 2, 3)]
    lost = [replace(each, spec=NodeSpec(taints=condition_taints(each))) for each in lost]
    for others, evicts in (((a_node("n4"),), most), ((), all_of_them)):
        step = look(seen((*lost, *others), {"n1": 90, "n2": 90, "n3": 90, "n4": 0}), lost[0], eviction_policy=policy)
        assert [keys_of(the_node(step), "NoExecute")] == [[UNREACHABLE]] if evicts else not step.requests


def test_a_cordoned_node_gets_its_taint() -> None:
    node = replace(a_node(), spec=NodeSpec(unschedulable=True))
    assert keys_of(the_node(look(seen((node,), {"n1": 0}), node)), "NoSchedule") == ["node.kubernetes.io/unschedulable"]


def test_everything_comes_to_rest() -> None:
    nodes = [a_node("n1"), a_node("n2")]
    local, steps = Monitor(), 0
    while steps < 20:
        state = seen(tuple(nodes), {"n1": 50, "n2": 0})
        step = look(state, nodes[0], local)
        if not step.requests and step.local == local:
            break
        local, steps = step.local, steps + 1
        for each in updated(step):
            assert isinstance(each, Node)
            nodes[0] = each
    assert steps == 3
    assert sorted(taint.effect for taint in nodes[0].spec.taints) == ["NoExecute", "NoSchedule"]
