"""The table of small Kubernetes scenarios that every engine runs and has to give the same answers to.

Each controller, fault, granularity and regime of time is in one of them; each has less than 3,000 states.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.systems import autoscaler, budget, deployment, event, node, pod, question, replica_set, service

from kythera.model.api.quantity import Quantity
from kythera.model.record import Map
from kythera.model.scenarios.scenario import NO_FAULTS, Faults, SchedulerSettings, Workload
from kythera.properties.statement import Question

Ask = Callable[..., Question]

ONE = [node("n1")]
TWO = [node("n1"), node("n2")]
THREE = [*TWO, node("n3")]
LAG = Faults(crash=0)
SCHEDULERS = (SchedulerSettings(), SchedulerSettings("second-scheduler"))


def load(*milli: int, changes: int = 1) -> tuple[Workload, ...]:
    """The usage of the pods of the app, which may change so often."""
    return (Workload(Map({"app": "web"}), cpu=tuple(Quantity(m * 1_000_000) for m in milli), changes=changes),)


def hasty(hpa: dict[str, Any]) -> dict[str, Any]:
    """An autoscaler that scales down at once."""
    return {**hpa, "spec": {**hpa["spec"], "behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}}}}


def of(documents: list[dict[str, Any]], faults: Faults = NO_FAULTS, granularity: str = "coarse", **more: Any) -> Ask:
    """A scenario that can be asked with something changed: ``symmetry=False``."""
    return lambda **changed: question(documents, faults, granularity, **{**more, **changed})


TABLE: dict[str, Ask] = {
    "ReplicaSet": of([*TWO, replica_set(2)]),
    "ReplicaSet on three nodes": of([*THREE, replica_set(3)]),
    "ReplicaSet without room": of([*ONE, replica_set(3)]),
    "Deployment": of([*TWO, deployment(2)]),
    "rollout": of([*TWO, deployment(1)], events=(event("rollout", "apply", manifest=deployment(1, image="web:2")),)),
    "autoscaler": of([*TWO, deployment(1), autoscaler("web", 1, 2, "Deployment/web")], workload=load(100, 400)),
    "autoscalers at odds": of(
        [replica_set(1), hasty(autoscaler("low", 1, 1)), hasty(autoscaler("high", 2, 2))],
        workload=load(250, changes=0),
    ),
    "drain": of([*TWO, replica_set(2), budget(minAvailable=1)], events=(event("drain", "drain", "n1"),)),
    "drain that is blocked": of(
        [*TWO, replica_set(1), budget(minAvailable=1)], events=(event("drain", "drain", "n1"),)
    ),
    "Service": of([*TWO, replica_set(1), service()]),
    "two schedulers": of([*TWO, pod("a"), pod("b", schedulerName="second-scheduler")], LAG, schedulers=SCHEDULERS),
    "crash": of([*TWO, pod("a")], Faults(crash=1)),
    "caches lag": of([*TWO, replica_set(2)], LAG),
    "older caches": of([*ONE, pod("a")], Faults(crash=1, staleness="timeTravel")),
    "fine": of([*TWO, pod("a")], LAG, "fine"),
    "lost answers": of([*TWO, pod("a")], Faults(crash=0, lost_reply=1), "fine"),
    "container crash": of([*TWO, replica_set(1)], Faults(crash=0, container_crash=1)),
    "partition": of([*TWO, pod("a")], Faults(crash=0, partition=1)),
    "node failure": of([*TWO, replica_set(1)], Faults(crash=0, node_failure=1, staleness="none")),
    "adversarial time": of([*ONE, replica_set(1)], time="adversarial"),
    "two nodes in adversarial time": of([*TWO], time="adversarial"),
}

LARGER: dict[str, Ask] = {
    "nothing symmetric": of([*TWO, replica_set(2)], LAG, symmetry=False),
    "three equal nodes, caches lag": of([*THREE, replica_set(2)], LAG),
    "crash of a ReplicaSet's controller": of([*TWO, replica_set(1)], Faults(crash=1)),
    "older caches of a ReplicaSet": of([*ONE, replica_set(1)], Faults(crash=1, staleness="timeTravel")),
    "fine ReplicaSet": of([*ONE, replica_set(1)], LAG, "fine"),
    "lost answers to a ReplicaSet": of([*ONE, replica_set(1)], Faults(crash=0, lost_reply=1, staleness="none"), "fine"),
    "partition of a ReplicaSet": of([*ONE, replica_set(1)], Faults(crash=0, partition=1)),
    "container crash, caches lag": of([*TWO, replica_set(2)], Faults(crash=0, container_crash=1)),
    "drain of a Deployment": of([*TWO, deployment(2), budget(minAvailable=1)], events=(event("drain", "drain", "n1"),)),
}
"""Scenarios of up to 30,000 states, which only the engines that count states run."""
