"""Each safety property fails under the variant that it names, and holds without it where it could fail."""

from __future__ import annotations

from typing import Any

import pytest
from tests.properties.judging import judge
from tests.systems import autoscaler, budget, deployment, event, node, pod, question, replica_set

from kythera.model.api.quantity import quantity
from kythera.model.record import Map
from kythera.model.scenarios.scenario import Faults, SchedulerSettings, Workload
from kythera.properties.property import StepInvariant
from kythera.properties.safety.bind_once import BIND_ONCE
from kythera.properties.safety.disruption_budget import PDB_HONOURED_BY_EVICTION
from kythera.properties.safety.minimum_replicas import REPLICAS_NEVER_BELOW_MIN
from kythera.properties.safety.monotonic_views import RESOURCE_VERSION_MONOTONIC
from kythera.properties.safety.no_lost_update import NO_LOST_UPDATE
from kythera.properties.safety.one_container_set import AT_MOST_ONE, POD_IP_UNIQUENESS
from kythera.properties.safety.resource_fit import RESOURCE_FIT
from kythera.properties.safety.rollout_bounds import ROLLOUT_BOUNDS
from kythera.properties.safety.uid_uniqueness import UID_UNIQUENESS
from kythera.properties.statement import Question, Statement

LAG = Faults(crash=0)
CRASH = Faults(crash=1)
SURGE: dict[str, Any] = {"strategy": {"rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}}
IDLE = Workload(selector=Map({"app": "web"}), cpu=(quantity("10m"),))
AT_ONCE = {"kube-controller-manager": {"horizontal-pod-autoscaler-downscale-stabilization": "0s"}}


def running(name: str) -> dict[str, Any]:
    """A pod that runs on n1 and is ready, and that the budget ``web`` counts."""
    made = pod(name, "100m", nodeName="n1")
    made["metadata"]["labels"] = {"app": "web"}
    ready = [{"type": "Ready", "status": "True"}]
    return {**made, "status": {"phase": "Running", "conditions": ready, "podIP": "10.0.0.1"}}


def two_schedulers(**more: Any) -> Question:
    both = (SchedulerSettings("default-scheduler"), SchedulerSettings("second"))
    pods = [pod("a", "600m"), pod("b", "600m", schedulerName="second")]
    return question([node("n1"), *pods], faults=LAG, schedulers=both, **more)


def restarted(**more: Any) -> Question:
    return question([node("n1"), node("n2"), replica_set(1)], faults=CRASH, **more)


def one_node(**more: Any) -> Question:
    return question([node("n1"), replica_set(2)], **more)


def replaced(**more: Any) -> Question:
    after = event("c", "apply", manifest={"apiVersion": "v1", **pod("c", "100m")}, after=("bye",))
    events = (event("bye", "delete", "pod/a"), after)
    return question([node("n1"), pod("a", "100m"), pod("b", "100m")], events=events, **more)


def resized(**more: Any) -> Question:
    return question(
        [node("n1"), replica_set(1)], faults=LAG, events=(event("s", "scale", "replicaset/web", replicas=0),), **more
    )


def drained(**more: Any) -> Question:
    documents = [node("n1"), running("a"), running("b"), budget(minAvailable=1)]
    return question(documents, faults=LAG, events=(event("drain", "drain", "n1"),), **more)


def rolled_out(**more: Any) -> Question:
    new = {"apiVersion": "apps/v1", **deployment(2, cpu="100m", image="web:2", **SURGE)}
    events = (event("rollout", "apply", manifest=new),)
    return question([node("n1"), deployment(2, cpu="100m", **SURGE)], events=events, **more)


def autoscaled(**more: Any) -> Question:
    documents = [node("n1"), replica_set(2), autoscaler("web", 2, 3)]
    return question(documents, components=AT_ONCE, workload=(IDLE,), **more)


CASES = [
    (RESOURCE_FIT, two_schedulers, 5),
    (BIND_ONCE, restarted, 5),
    (AT_MOST_ONE, restarted, 7),
    (UID_UNIQUENESS, one_node, 1),
    (POD_IP_UNIQUENESS, replaced, 9),
    (NO_LOST_UPDATE, resized, 2),
    (PDB_HONOURED_BY_EVICTION, drained, 5),
    (ROLLOUT_BOUNDS, rolled_out, 7),
    (REPLICAS_NEVER_BELOW_MIN, autoscaled, 11),
]


def test_an_informer_goes_back_only_by_time_travel() -> None:
    documents = [node("n1"), replica_set(1)]
    faults, name = Faults(crash=1, staleness="timeTravel"), RESOURCE_VERSION_MONOTONIC.name
    assert not RESOURCE_VERSION_MONOTONIC.bind(RESOURCE_VERSION_MONOTONIC, question(documents, faults=faults))
    travels = judge(RESOURCE_VERSION_MONOTONIC, question(documents, faults=faults, properties=(name,)))
    assert travels.message is not None
    assert travels.length == 3
    lags = judge(RESOURCE_VERSION_MONOTONIC, question(documents, faults=CRASH))
    assert lags.message is None
    assert lags.applied


def test_applying_a_manifest_takes_replicas_below_the_minimum_of_an_autoscaler() -> None:
    reset = event("reset", "apply", manifest={"apiVersion": "apps/v1", **replica_set(1)})
    asked = question([node("n1"), replica_set(1), autoscaler("web", 2, 3)], events=(reset,))
    answer = judge(REPLICAS_NEVER_BELOW_MIN, asked)
    assert answer.message is not None
    assert "from 2 replicas to 1" in answer.message


def test_switching_an_autoscaler_off_is_no_mistake() -> None:
    off = event("off", "scale", "replicaset/web", replicas=0)
    answer = judge(
        REPLICAS_NEVER_BELOW_MIN, question([node("n1"), replica_set(2), autoscaler("web", 2, 3)], events=(off,))
    )
    assert answer.message is None


def test_unready_pods_that_are_evicted_take_nothing_from_a_budget() -> None:
    documents = [node("n1"), running("a"), running("b"), budget(minAvailable=1)]
    documents[1]["status"] = {"phase": "Pending"}
    answer = judge(PDB_HONOURED_BY_EVICTION, question(documents, events=(event("drain", "drain", "n1"),)))
    assert answer.message is None


@pytest.mark.parametrize(
    ("replicas", "strategy"),
    [(2, {"type": "Recreate"}), (1, {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}})],
    ids=["Recreate", "no surge"],
)
def test_other_rollouts_keep_to_their_bounds(replicas: int, strategy: dict[str, Any]) -> None:
    new = {"apiVersion": "apps/v1", **deployment(replicas, cpu="100m", image="web:2", strategy=strategy)}
    documents = [node("n1"), deployment(replicas, cpu="100m", strategy=strategy)]
    answer = judge(ROLLOUT_BOUNDS, question(documents, events=(event("new", "apply", manifest=new),)))
    assert answer.message is None
    assert answer.applied


@pytest.mark.parametrize(
    ("statement", "documents"),
    [
        (BIND_ONCE, [node("n1")]),
        (RESOURCE_FIT, [node("n1"), replica_set(0)]),
        (PDB_HONOURED_BY_EVICTION, [node("n1"), replica_set(1), budget(minAvailable=1)]),
        (NO_LOST_UPDATE, [node("n1"), replica_set(1)]),
        (ROLLOUT_BOUNDS, [node("n1"), replica_set(1)]),
        (REPLICAS_NEVER_BELOW_MIN, [node("n1"), replica_set(1)]),
        (RESOURCE_VERSION_MONOTONIC, [node("n1"), replica_set(1)]),
    ],
    ids=lambda each: each.name if isinstance(each, Statement) else "",
)
def test_it_says_nothing_where_nothing_could_break_it(statement: Statement, documents: list[dict[str, Any]]) -> None:
    assert list(statement.bind(statement, question(documents))) == []


def test_steps_of_others_are_not_looked_at() -> None:
    asked = resized()
    for each in NO_LOST_UPDATE.bind(NO_LOST_UPDATE, asked):
        assert isinstance(each, StepInvariant)
        assert each.by is not None
        assert len(each.by) == 1
