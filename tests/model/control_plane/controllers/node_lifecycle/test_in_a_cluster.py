"""Node failures in whole clusters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.systems import node, pod, system

from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod
from kythera.model.api.pods import condition, is_ready, is_terminating
from kythera.model.scenarios.scenario import Faults
from kythera.model.system import System

FOR_EVER = [
    {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute"}
    for key in ("unreachable", "not-ready")
]
FAULTS = ("crash/", "network/")


def states(cluster: System) -> Iterator[tuple[tuple[Any, ...], list[str]]]:
    """All states that are reached, each with who may do something in it."""
    seen, todo = {cluster.initial}, [cluster.initial]
    while todo:
        row = todo.pop()
        moves = list(cluster.moves(row))
        yield row, [move.actor for move in moves]
        for move in moves:
            if move.row not in seen:
                seen.add(move.row)
                todo.append(move.row)


def quiet_states(cluster: System) -> Iterator[tuple[Any, ...]]:
    """The states in which nothing happens any more, unless something breaks."""
    return (row for row, actors in states(cluster) if all(actor.startswith(FAULTS) for actor in actors))


def is_told_ready_on_a_dead_node(cluster: System, row: tuple[Any, ...]) -> bool:
    nodes: dict[str, Node] = {each.metadata.name: each for each in row[cluster.index["objects/Node"]]}
    pods: tuple[Pod, ...] = row[cluster.index["objects/Pod"]]
    for each in pods:
        ready = condition(nodes[each.spec.node_name or ""].status.conditions, "Ready")
        if is_ready(each) and ready is not None and ready.status != "True":
            return True
    return False


@pytest.mark.parametrize(("variant", "crashes", "stays"), [("edge", 0, False), ("edge", 1, True), ("level", 1, False)])
def test_pods_of_a_dead_node_stay_ready_for_ever_if_the_controller_dies_between_its_writes(
    variant: str, crashes: int, stays: bool
) -> None:
    """https://github.com/kubernetes/kubernetes/issues/48681."""
    cluster = system(
        [node("n1"), node("n2"), pod("web", tolerations=FOR_EVER, nodeName="n1")],
        faults=Faults(crash=crashes, node_failure=1, staleness="none"),
        granularity="fine",
        variants={"nodectl.mark_pods": variant},
    )
    assert any(is_told_ready_on_a_dead_node(cluster, row) for row in quiet_states(cluster)) == stays


def deleted(cluster: System) -> set[bool]:
    """Whether the pods are being deleted when nothing happens any more."""
    at = cluster.index["objects/Pod"]
    return {is_terminating(each) for row in quiet_states(cluster) for each in row[at]}


def test_pods_of_a_dead_node_are_deleted_unless_no_other_node_is_alive() -> None:
    faults, bound = Faults(crash=0, node_failure=1, staleness="none"), pod("web", nodeName="n1")
    assert True in deleted(system([node("n1"), node("n2"), bound], faults=faults)), "and wait for their kubelet"
    assert deleted(system([node("n1"), bound], faults=faults)) == {False}


@pytest.mark.parametrize(("policy", "costs"), [("zone_threshold", False), ("all_down_stopgap", False), ("naive", True)])
def test_a_cut_from_every_node_costs_healthy_pods_only_under_a_naive_policy(policy: str, costs: bool) -> None:
    """https://github.com/kubernetes/kubernetes/issues/24200."""
    cluster = system(
        [node("n1"), pod("web", nodeName="n1")],
        faults=Faults(crash=0, partition=1, staleness="none"),
        time="adversarial",
        variants={"nodectl.eviction_policy": policy},
    )
    at = cluster.index["objects/Pod"]
    assert any(not row[at] or any(map(is_terminating, row[at])) for row, _ in states(cluster)) == costs
