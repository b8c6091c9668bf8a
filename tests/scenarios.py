"""The table of small Kubernetes scenarios that every engine runs and has to give the same answers to.

Each controller, fault, granularity and regime of time is in one of them; each has less than 3,000 states.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.systems import autoscaler, budget, connect, deployment, event, node, pod, question, replica_set, service

from kythera.model.api.quantity import Quantity
from kythera.model.record import Map
from kythera.model.scenarios.scenario import NO_FAULTS, Event, Faults, SchedulerSettings, Workload
from kythera.properties.statement import Question

Ask = Callable[..., Question]

ONE = [node("n1")]
TWO = [node("n1"), node("n2")]
THREE = [*TWO, node("n3")]
LAG = Faults(crash=0)
SCHEDULERS = (SchedulerSettings(), SchedulerSettings("second-scheduler"))
ROOM_FOR_ONE = [node("n1", "500m"), pod("a"), pod("b")]
BLUE = {**node("n1"), "metadata": {"name": "n1", "labels": {"kubernetes.io/hostname": "n1", "colour": "blue"}}}
LIKES_ITSELF = {
    "podAffinity": {
        "requiredDuringSchedulingIgnoredDuringExecution": [
            {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "web"}}}
        ]
    }
}

TEAM = {"kind": "Namespace", "metadata": {"name": "team"}, "spec": {"finalizers": ["kubernetes"]}}
OF_TEAM = {**deployment(1), "metadata": {"name": "web", "namespace": "team", "generation": 1}}


def bye(target: str, cascade: str = "background") -> tuple[Event, ...]:
    """Somebody deletes an object."""
    return (event("bye", "delete", target, cascade=cascade),)


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
    "connections": of(
        [*ONE, pod("web", nodeName="n1"), pod("b", nodeName="n1"), service()],
        events=(event("bye", "delete", "Pod/web"), connect("web")),
    ),
    "session affinity": of(
        [*TWO, replica_set(2), service(sessionAffinity="ClientIP")],
        events=(connect("web", "first"), connect("web", "second", after=("first",))),
    ),
    "two schedulers": of([*TWO, pod("a"), pod("b", schedulerName="second-scheduler")], LAG, schedulers=SCHEDULERS),
    "two schedulers for one room": of(
        [node("n1", "500m"), pod("a"), pod("b", schedulerName="second-scheduler")], LAG, schedulers=SCHEDULERS
    ),
    "pod waits for an uncordon": of(
        [node("n1", unschedulable=True), pod("a")], LAG, events=(event("open", "uncordon", "n1"),)
    ),
    "pod waits for a label": of(
        [*ONE, pod("a", nodeSelector={"colour": "blue"})], events=(event("paint", "apply", manifest=BLUE),)
    ),
    "pod waits for room": of(ROOM_FOR_ONE, LAG, events=(event("make room", "delete", "pod/a"),)),
    "pod waits for the flush": of(
        [*TWO, replica_set(1, affinity=LIKES_ITSELF)], events=(event("drain", "drain", "n1"),)
    ),
    "crash": of([*TWO, pod("a")], Faults(crash=1)),
    "caches lag": of([*TWO, replica_set(2)], LAG),
    "older caches": of([*ONE, pod("a")], Faults(crash=1, staleness="timeTravel")),
    "fine": of([*TWO, pod("a")], LAG, "fine"),
    "lost answers": of([*TWO, pod("a")], Faults(crash=0, lost_reply=1), "fine"),
    "container crash": of([*TWO, replica_set(1)], Faults(crash=0, container_crash=1)),
    "containers exit": of([*ONE, replica_set(1)], LAG, workload=(Workload(Map({"app": "web"}), exits="failure"),)),
    "pods end": of(
        [*TWO, pod("web", restartPolicy="Never", initContainers=[{"name": "init", "image": "init:1"}])],
        LAG,
        workload=(Workload(Map({"app": "web"}), lasts=30),),
    ),
    "partition": of([*TWO, replica_set(1)], Faults(crash=0, partition=1, staleness="none")),
    "partition, caches lag": of([*ONE, pod("a")], Faults(crash=0, partition=1)),
    "node failure": of([*TWO, replica_set(1)], Faults(crash=0, node_failure=1, staleness="none")),
    "adversarial time": of([*ONE, replica_set(1)], time="adversarial"),
    "deletion": of([*ONE, replica_set(1)], LAG, events=bye("replicaset/web")),
    "foreground deletion": of([*ONE, deployment(1)], events=bye("deployment/web", "foreground")),
    "orphaning deletion": of([*TWO, deployment(1)], events=bye("deployment/web", "orphan")),
    "deletion of a namespace": of([*ONE, TEAM, OF_TEAM], events=bye("namespace/team")),
    "two nodes in adversarial time": of([*TWO], time="adversarial"),
}

LARGER: dict[str, Ask] = {
    "foreground deletion, caches lag": of([*ONE, replica_set(1)], LAG, events=bye("replicaset/web", "foreground")),
    "nothing symmetric": of([*TWO, replica_set(2)], LAG, symmetry=False),
    "three equal nodes, caches lag": of([*THREE, replica_set(2)], LAG),
    "crash of a ReplicaSet's controller": of([*TWO, replica_set(1)], Faults(crash=1)),
    "older caches of a ReplicaSet": of([*ONE, replica_set(1)], Faults(crash=1, staleness="timeTravel")),
    "fine ReplicaSet": of([*ONE, replica_set(1)], LAG, "fine"),
    "lost answers to a ReplicaSet": of([*ONE, replica_set(1)], Faults(crash=0, lost_reply=1, staleness="none"), "fine"),
    "partition of two nodes, caches lag": of([*TWO, pod("a")], Faults(crash=0, partition=1)),
    "partition of a ReplicaSet": of([*ONE, replica_set(1)], Faults(crash=0, partition=1)),
    "container crash, caches lag": of([*TWO, replica_set(2)], Faults(crash=0, container_crash=1)),
    "drain of a Deployment": of([*TWO, deployment(2), budget(minAvailable=1)], events=(event("drain", "drain", "n1"),)),
}
"""Scenarios of up to 30,000 states, which only the engines that count states run."""
