"""The table of small Kubernetes systems that every engine has to agree on: each kind of fault, clock and symmetry."""

from __future__ import annotations

from collections.abc import Callable

from tests.systems import autoscaler, budget, deployment, event, node, question, replica_set

from kythera.model.api.quantity import Quantity
from kythera.model.record import Map
from kythera.model.scenarios.scenario import Faults, Workload
from kythera.properties.statement import Question

NODES = [node("n1"), node("n2")]
LAG = Faults(crash=0)


def _busy() -> Workload:
    levels = (Quantity(100_000_000), Quantity(400_000_000))
    return Workload(selector=Map({"app": "web"}), cpu=levels, changes=1)


TABLE: dict[str, Callable[[], Question]] = {
    "coarse": lambda: question([*NODES, replica_set(2)]),
    "coarse, nothing symmetric": lambda: question([*NODES, replica_set(2)], LAG, symmetry=False),
    "coarse, caches lag": lambda: question([*NODES, replica_set(2)], LAG),
    "three equal nodes": lambda: question([*NODES, node("n3"), replica_set(2)], LAG),
    "a crash": lambda: question([*NODES, replica_set(1)], Faults(crash=1)),
    "a crash, older caches": lambda: question([node("n1"), replica_set(1)], Faults(crash=1, staleness="timeTravel")),
    "fine": lambda: question([node("n1"), replica_set(1)], LAG, "fine"),
    "fine, a lost answer": lambda: question(
        [node("n1"), replica_set(1)], Faults(crash=0, lost_reply=1, staleness="none"), "fine"
    ),
    "a partition": lambda: question([node("n1"), replica_set(1)], Faults(crash=0, partition=1)),
    "a lost node": lambda: question([*NODES, replica_set(1)], Faults(crash=0, node_failure=1, staleness="none")),
    "a container dies": lambda: question([*NODES, replica_set(2)], Faults(crash=0, container_crash=1)),
    "time passes at any moment": lambda: question(
        [node("n1"), replica_set(1)], Faults(crash=0, staleness="none"), time="adversarial"
    ),
    "a drain and a budget": lambda: question(
        [*NODES, deployment(2), budget(minAvailable=1)], events=(event("drain", "drain", "n1"),)
    ),
    "an autoscaler": lambda: question(
        [*NODES, deployment(1), autoscaler("web", 1, 2, "Deployment/web")], workload=(_busy(),)
    ),
}
