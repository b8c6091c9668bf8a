"""Each liveness property fails under what it names, and holds without it where it could fail."""

from __future__ import annotations

from typing import Any

import pytest
from tests.properties.judging import (
    judge,
    variant,
)
from tests.systems import (
    autoscaler,
    budget,
    deployment,
    event,
    node,
    pod,
    question,
    replica_set,
    service,
)

from kythera.model.scenarios.scenario import Faults
from kythera.properties.liveness.deployment_converges import DEPLOYMENT_CONVERGES
from kythera.properties.liveness.drains_complete import DRAINS_COMPLETE
from kythera.properties.liveness.endpoints_converge import ENDPOINTS_CONVERGE
from kythera.properties.liveness.livelocks import NO_EVICTION_LIVELOCK, NO_SCALING_OSCILLATION
from kythera.properties.liveness.node_failure_heals import NODE_FAILURE_HEALS
from kythera.properties.liveness.pods_schedulable import PODS_SCHEDULABLE
from kythera.properties.liveness.replicas_converge import REPLICAS_CONVERGE
from kythera.properties.statement import Question, Statement

LAG = Faults(crash=0)
LOSS = Faults(crash=0, node_failure=1, staleness="none")
AT_ONCE = {"kube-controller-manager": {"horizontal-pod-autoscaler-downscale-stabilization": "0s"}}
DUPLICATES = {"descheduler": {"strategies": "RemoveDuplicates"}}
NODE_FIT_ON = {"descheduler.node_fit": "on"}
DRAIN = (event("drain", "drain", "n1"),)


def a_set(**more: Any) -> Question:
    return question([node("n1"), replica_set(2)], **more)


def rolled_out(**more: Any) -> Question:
    new = {"apiVersion": "apps/v1", **deployment(1, cpu="100m", image="web:2")}
    events = (event("rollout", "apply", manifest=new),)
    return question([node("n1"), deployment(1, cpu="100m")], events=events, **more)


def opened(**more: Any) -> Question:
    documents = [node("n1", unschedulable=True), replica_set(1)]
    return question(documents, events=(event("open", "uncordon", "n1"),), **more)


def served(**more: Any) -> Question:
    return question([node("n1"), replica_set(1), service()], faults=LAG, **more)


def lost(**more: Any) -> Question:
    return question([node("n1"), node("n2"), replica_set(1)], faults=LOSS, **more)


def drained(**more: Any) -> Question:
    return question([node("n1"), node("n2"), replica_set(1)], events=DRAIN, **more)


CASES = [
    (REPLICAS_CONVERGE, a_set, 1),
    (DEPLOYMENT_CONVERGES, rolled_out, 6),
    (PODS_SCHEDULABLE, opened, 4),
    (ENDPOINTS_CONVERGE, served, 15),
    (NODE_FAILURE_HEALS, lost, 10),
    (DRAINS_COMPLETE, drained, 5),
]


def test_a_descheduler_that_does_not_ask_what_fits_evicts_for_ever() -> None:
    documents = [node("n1"), node("n2", cpu="100m"), replica_set(2)]
    answer = judge(
        NO_EVICTION_LIVELOCK, question(documents, components=DUPLICATES, variants=variant(NO_EVICTION_LIVELOCK))
    )
    assert answer.message is not None
    assert "again and again" in answer.message
    asks = judge(NO_EVICTION_LIVELOCK, question(documents, components=DUPLICATES, variants=NODE_FIT_ON))
    assert asks.message is None
    assert asks.applied


def test_two_autoscalers_of_one_target_undo_each_others_work_for_ever() -> None:
    documents = [node("n1", unschedulable=True), replica_set(1), autoscaler("a", 1, 1)]
    alone = judge(NO_SCALING_OSCILLATION, question(documents, components=AT_ONCE))
    assert alone.message is None
    assert alone.applied
    both = judge(NO_SCALING_OSCILLATION, question([*documents, autoscaler("b", 2, 3)], components=AT_ONCE))
    assert both.message is not None
    assert "again and again" in both.message


def test_a_pod_that_no_placement_holds_is_not_claimed() -> None:
    answer = judge(PODS_SCHEDULABLE, question([node("n1"), replica_set(3)]))
    assert answer.message is None
    assert answer.applied


def test_a_pod_that_only_another_placement_holds_is_claimed() -> None:
    small = pod("small", "500m")
    small["spec"]["affinity"] = _prefers("n1")
    answer = judge(PODS_SCHEDULABLE, question([node("n1"), node("n2", cpu="500m"), small, pod("large", "1")]))
    assert answer.message is not None
    assert "placed otherwise" in answer.message


def _prefers(name: str) -> dict[str, Any]:
    there = {"key": "kubernetes.io/hostname", "operator": "In", "values": [name]}
    wish = {"weight": 100, "preference": {"matchExpressions": [there]}}
    return {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [wish]}}


def test_gated_pods_and_pods_of_unknown_schedulers_are_not_claimed() -> None:
    gated = pod("gated", schedulingGates=[{"name": "wait"}])
    foreign = pod("foreign", schedulerName="nobody")
    answer = judge(PODS_SCHEDULABLE, question([node("n1"), gated, foreign]))
    assert answer.message is None
    assert not answer.applied


@pytest.mark.parametrize(
    "documents",
    [
        [node("n1"), deployment(1, cpu="2")],
        [node("n1", cpu="500m"), deployment(2)],
        [node("n1", taints=[{"key": "a", "effect": "NoSchedule"}]), deployment(1)],
    ],
    ids=["a pod too large", "fewer places than pods", "a taint that no pod tolerates"],
)
def test_a_deployment_whose_pods_fit_nowhere_is_not_claimed_and_not_told_to_converge(documents: list[Any]) -> None:
    answer = judge(DEPLOYMENT_CONVERGES, question(documents, faults=Faults(crash=0, staleness="none")))
    assert answer.message is None
    assert not answer.applied


def test_a_paused_deployment_is_not_claimed() -> None:
    answer = judge(DEPLOYMENT_CONVERGES, question([node("n1"), deployment(1, cpu="100m", paused=True)]))
    assert answer.message is None
    assert not answer.applied


def test_a_budget_that_forbids_it_keeps_a_drain_from_ending() -> None:
    documents = [node("n1"), node("n2", unschedulable=True), replica_set(1), budget(minAvailable=1)]
    answer = judge(DRAINS_COMPLETE, question(documents, events=DRAIN))
    assert answer.message == "the drain of n1 does not end"


def test_pods_that_tolerate_the_loss_of_their_node_for_ever_are_never_replaced() -> None:
    ever = [{"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute"}]
    answer = judge(
        NODE_FAILURE_HEALS, question([node("n1"), node("n2"), replica_set(1, tolerations=ever)], faults=LOSS)
    )
    assert answer.message is not None


@pytest.mark.parametrize(
    ("statement", "documents"),
    [
        (REPLICAS_CONVERGE, [node("n1"), pod("a")]),
        (DEPLOYMENT_CONVERGES, [node("n1"), replica_set(1)]),
        (PODS_SCHEDULABLE, [node("n1")]),
        (ENDPOINTS_CONVERGE, [node("n1"), replica_set(1)]),
        (NODE_FAILURE_HEALS, [node("n1"), node("n2"), replica_set(1)]),
        (DRAINS_COMPLETE, [node("n1"), replica_set(1)]),
        (NO_EVICTION_LIVELOCK, [node("n1"), replica_set(1)]),
        (NO_SCALING_OSCILLATION, [node("n1"), replica_set(1)]),
    ],
    ids=lambda each: each.name if isinstance(each, Statement) else "",
)
def test_it_says_nothing_where_nothing_could_break_it(statement: Statement, documents: list[dict[str, Any]]) -> None:
    assert list(statement.bind(statement, question(documents))) == []
