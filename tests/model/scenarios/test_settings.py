"""Settings of components: each that is accepted changes what happens, or the report says that it does not."""

from __future__ import annotations

from typing import Any

import pytest
from tests.systems import deployment, node, pod, question, replica_set

from kythera.model.control_plane.controllers.node_lifecycle.monitor import options
from kythera.model.record import Map
from kythera.model.scenarios.loader import load_documents
from kythera.model.scenarios.scenario import NO_FAULTS, Faults, SchedulerSettings, Workload
from kythera.model.scenarios.settings import REFUSED, SETTINGS, why_refused
from kythera.model.symmetry import Row
from kythera.model.system import System

MANAGER = "kube-controller-manager"
PARTITION = Faults(crash=0, partition=1, staleness="none")
FAILURES = Faults(crash=0, node_failure=2, staleness="none")
UPSTREAM = {
    "node-monitor-grace-period", "node-eviction-rate", "secondary-node-eviction-rate", "unhealthy-zone-threshold",
    "large-cluster-size-threshold",
}  # fmt: skip


def rows(made: System) -> tuple[set[Row], set[int]]:
    """All states, and by how many seconds the clock advances."""
    seen, todo, ticks = {made.initial}, [made.initial], set()
    while todo:
        for move in made.moves(todo.pop()):
            if move.seconds:
                ticks.add(move.seconds)
            if move.row not in seen:
                seen.add(move.row)
                todo.append(move.row)
    return seen, ticks


def ticks(documents: list[dict[str, Any]], faults: Faults, components: dict[str, Any], **more: Any) -> set[int]:
    return rows(question(documents, faults, components=components, **more).system)[1]


def scenario(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "kythera/v1alpha1", "kind": "Scenario", "metadata": {"name": "s"}, "spec": spec}


def assumptions(*documents: dict[str, Any], **spec: Any) -> list[str]:
    loaded = load_documents([{"apiVersion": "v1", **pod("a")}, *documents, scenario(**spec)])
    return list(loaded.assumptions)


@pytest.mark.parametrize(("given", "grace"), [({}, 50), ({"node-monitor-grace-period": "40s"}, 40)])
def test_a_silent_node_is_given_up_after_the_grace_period(given: dict[str, str], grace: int) -> None:
    found = ticks([node("n1"), pod("a", nodeName="n1")], PARTITION, {MANAGER: given})
    assert grace in found
    assert {40, 50} - {grace} <= {40, 50} - found


@pytest.mark.parametrize(("given", "interval"), [({}, 10), ({"nodeLeaseDurationSeconds": "80"}, 20)])
def test_a_node_whose_link_has_healed_is_heard_of_with_its_next_heartbeat(given: dict[str, str], interval: int) -> None:
    assert interval in ticks([node("n1")], PARTITION, {"kubelet": given})


@pytest.mark.parametrize(("rate", "wait"), [("0.1", 10), ("0.05", 20)])
def test_nodes_are_given_up_one_after_the_other_at_the_eviction_rate(rate: str, wait: int) -> None:
    nodes = [node("n1"), node("n2"), node("n3")]
    assert wait in ticks(nodes, FAILURES, {MANAGER: {"node-eviction-rate": rate}})


@pytest.mark.parametrize(
    ("flag", "field", "value", "read"),
    [
        ("secondary-node-eviction-rate", "reduced", "0.5", 0.5),
        ("unhealthy-zone-threshold", "unhealthy_zone_threshold", "0.75", 0.75),
        ("large-cluster-size-threshold", "large_cluster_size", "2", 2),
    ],
)
def test_the_controller_is_given_what_a_flag_of_zones_says(flag: str, field: str, value: str, read: float) -> None:
    """What follows from these is tested where zones are."""
    assert getattr(options({flag: value}).rates, field) == read
    assert getattr(options({}).rates, field) != read


@pytest.mark.parametrize(("setting", "value"), [("longest_back_off", "20"), ("crashLoopBackOff", "20")])
def test_the_longest_back_off_bounds_the_wait_for_a_restart(setting: str, value: str) -> None:
    fails = {"workload": (Workload(Map({"app": "web"}), lasts=5),)}
    assert max(ticks([node("n1"), replica_set(1)], NO_FAULTS, {"kubelet": {setting: value}}, **fails)) == 20


def test_what_a_scenario_says_of_back_offs_and_thresholds_is_read_in_upstreams_words() -> None:
    given = {
        "kubelet": {"crashLoopBackOff": {"maxContainerRestartPeriod": "1m"}},
        "descheduler": {"thresholds": {"cpu": 10}, "targetThresholds": {"cpu": 60, "pods": 50}},
        MANAGER: {"node-monitor-grace-period": "40s", "node-eviction-rate": 0.2},
    }
    loaded = load_documents([{"apiVersion": "v1", **pod("a")}, scenario(components=given)])
    assert loaded.scenario.components == {
        "kubelet": {"crashLoopBackOff": "60"},
        "descheduler": {"thresholds": "cpu=10", "targetThresholds": "cpu=60,pods=50"},
        MANAGER: {"node-monitor-grace-period": "40s", "node-eviction-rate": "0.2"},
    }


def test_a_grace_period_is_accepted_where_nothing_can_fail_and_the_report_says_that_it_has_no_effect() -> None:
    given = {MANAGER: {"node-monitor-grace-period": "40s"}}
    said = "node-monitor-grace-period of kube-controller-manager has no effect: no node can seem to be lost"
    assert any(each.startswith(said) for each in assumptions(components=given))
    for more in ({"faults": {"partition": 1}}, {"faults": {"nodeFailure": 1}}, {"time": "adversarial"}):
        assert not any("has no effect" in each for each in assumptions(components=given, **more))


@pytest.mark.parametrize(
    ("component", "setting", "value", "why"),
    [
        (MANAGER, "horizontal-pod-autoscaler-sync-period", "30s", "there is no HorizontalPodAutoscaler"),
        (MANAGER, "max-endpoints-per-slice", 3, "there is no Service"),
        ("kubelet", "longest_back_off", "1m", "kubelets are not timed"),
        ("kubelet", "nodeLeaseDurationSeconds", 20, "no node can seem to be lost"),
    ],
)
def test_what_nobody_acts_on_is_said(component: str, setting: str, value: Any, why: str) -> None:
    found = assumptions(components={component: {setting: value}})
    assert [each for each in found if each.startswith(f"{setting} of {component} has no effect: {why}")], found


def test_heartbeats_at_any_time_have_no_interval() -> None:
    found = assumptions(components={"kubelet": {"nodeLeaseDurationSeconds": 20}}, time="adversarial")
    assert any("a heartbeat comes at any time" in each for each in found)


def test_the_flags_of_the_node_lifecycle_controller_are_all_offered() -> None:
    assert set(SETTINGS[MANAGER]) >= UPSTREAM


def test_nothing_is_both_accepted_and_refused() -> None:
    assert all(why_refused(component, setting) is None for component, given in SETTINGS.items() for setting in given)
    assert set(REFUSED) <= set(SETTINGS)


def test_several_replicas_are_one_that_is_active_and_the_report_says_so() -> None:
    control_plane = {"controllerManagers": 2, "schedulers": [{"name": "default-scheduler", "replicas": 3}]}
    found = assumptions(controlPlane=control_plane)
    assert [each.partition(":")[0] for each in found if "replicas of" in each] == [
        "2 replicas of kube-controller-manager",
        "3 replicas of default-scheduler",
    ]
    assert not any("replicas of" in each for each in assumptions())


def test_several_replicas_behave_as_one() -> None:
    documents = [node("n1"), deployment(1)]
    one = question(documents, Faults(crash=1, staleness="none")).system
    several = question(
        documents, Faults(crash=1, staleness="none"), schedulers=(SchedulerSettings(replicas=2),), controller_managers=3
    ).system
    assert rows(one)[0] == rows(several)[0]
