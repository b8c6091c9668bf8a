"""Admission plugins: priorities, tolerations, new nodes."""

from __future__ import annotations

from tests.model.control_plane.apiserver.small import only, pod

from kythera.model.api.core.node import Node
from kythera.model.api.core.scheduling import Taint
from kythera.model.api.meta import ObjectMeta
from kythera.model.api.scheduling import PriorityClass
from kythera.model.control_plane.apiserver.handler import handle
from kythera.model.record import replace
from kythera.model.request import Create, Update
from kythera.model.view import View, view

HIGH = PriorityClass(ObjectMeta("high"), 1000, preemption_policy="Never")
USUAL = PriorityClass(ObjectMeta("usual"), 7, global_default=True, preemption_policy="PreemptLowerPriority")


def store(*classes: PriorityClass) -> View:
    """A store with priority classes and nothing else."""
    return view(Pod=(), PriorityClass=classes)


def test_a_pod_has_the_priority_and_policy_of_its_class() -> None:
    made, _ = handle(store(HIGH), Create(pod(priority_class_name="high")))
    assert (only(made, "Pod").spec.priority, only(made, "Pod").spec.preemption_policy) == (1000, "Never")


def test_a_pod_without_a_class_is_of_the_default_class_or_of_priority_0() -> None:
    made, _ = handle(store(HIGH, USUAL), Create(pod()))
    assert (only(made, "Pod").spec.priority_class_name, only(made, "Pod").spec.priority) == ("usual", 7)
    made, _ = handle(store(HIGH), Create(pod()))
    assert (only(made, "Pod").spec.priority_class_name, only(made, "Pod").spec.priority) == ("", 0)


def test_the_systems_classes_exist_always() -> None:
    made, _ = handle(store(), Create(pod(priority_class_name="system-node-critical")))
    assert only(made, "Pod").spec.priority == 2_000_001_000


def test_an_unknown_class_and_a_priority_of_ones_own_are_forbidden() -> None:
    _, reply = handle(store(), Create(pod(priority_class_name="nope")))
    assert (reply.code, reply.message) == (
        403,
        'pods "a" is forbidden: no PriorityClass with name nope was found',
    )
    _, reply = handle(store(), Create(pod(priority=5)))
    assert reply.code == 403
    _, reply = handle(store(), Create(pod(preemption_policy="Never")))
    assert reply.code == 403


def test_an_update_that_leaves_the_priority_out_keeps_it() -> None:
    made, _ = handle(store(HIGH), Create(pod(priority_class_name="high")))
    there = only(made, "Pod")
    same, _ = handle(made, Update(replace(there, spec=replace(there.spec, priority=None))))
    assert same is made


def test_there_is_one_default_class_at_most() -> None:
    other = replace(USUAL, metadata=ObjectMeta("other"))
    _, reply = handle(view(PriorityClass=(USUAL,)), Create(other))
    assert reply.message.endswith("PriorityClass usual is already marked as default. Only one default can exist")
    assert handle(view(PriorityClass=(USUAL,)), Update(replace(USUAL, description="x")))[1].ok


def test_a_new_node_is_tainted_until_it_is_found_ready() -> None:
    made, _ = handle(view(Node=()), Create(Node(ObjectMeta("n"))))
    node = only(made, "Node")
    assert node.spec.taints == (Taint("node.kubernetes.io/not-ready", effect="NoSchedule"),)
    made, _ = handle(made, Update(replace(node, spec=replace(node.spec, taints=()))))
    assert only(made, "Node").spec.taints == ()
