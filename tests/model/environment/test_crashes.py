"""Restarts: what a component may see first, and what follows from a list that is too old (kubernetes#59848)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.systems import event, node, pod, question, replica_set

from kythera.model.scenarios.loader import load_documents
from kythera.model.scenarios.scenario import Faults
from kythera.model.system import System
from kythera.properties.engines.core import Core
from kythera.properties.property import Invariant
from kythera.properties.statement import Question

CRASH = Faults(crash=1)
BYE = (event("bye", "delete", "pod/a"),)


def runs_what_is_gone(state: Any, pods: tuple[Any, ...]) -> str | None:
    """Whether a container runs of a pod that is no longer stored."""
    stored = {each.metadata.uid for each in pods}
    gone = [each for each in state.runtime.containers if each.state == "running" and each.pod not in stored]
    return f"a container runs of pod {gone[0].pod}, which is gone" if gone else None


GONE = Invariant(
    name="runs-what-is-gone", says="", source="", breaks="", slots=("local/kubelet/n1", "objects/Pod"),
    broken=runs_what_is_gone,
)  # fmt: skip


def deleted(faults: Faults = CRASH, **variants: str) -> Question:
    """A pod that is deleted at some time, and one crash."""
    chosen = {f"{name}.initial_list": value for name, value in variants.items()}
    return question([node("n1"), pod("a")], faults, events=BYE, variants=chosen)


def past(system: System) -> set[str]:
    """The components that may read an older cache."""
    return {slot.name.removeprefix("past/").rpartition("/")[0] for slot in system.slots if slot.name.startswith("past")}


def findings(asked: Question) -> list[str]:
    """What is wrong."""
    result = Core(asked.system, [GONE]).run(max_states=20_000, stop_at_finding=True)
    assert result.findings or result.complete
    return [each.message for each in result.findings]


def test_a_restarted_kubelet_starts_no_pod_again_that_was_deleted() -> None:
    assert findings(deleted()) == []


def test_a_kubelet_whose_first_list_is_too_old_starts_a_pod_again_that_was_deleted() -> None:
    assert findings(deleted(kubelet="any_cache")) == ["a container runs of pod 1, which is gone"]


def test_another_components_old_list_does_not_mislead_the_kubelet() -> None:
    assert findings(deleted(scheduler="any_cache")) == []


@pytest.mark.parametrize(
    ("part", "process"),
    [("kubelet", "kubelet/n1"), ("scheduler", "kube-scheduler"), ("kube-controller-manager", "replicaset")],
)
def test_only_the_component_that_is_named_may_go_back(part: str, process: str) -> None:
    asked = question([node("n1"), replica_set(1)], CRASH, variants={f"{part}.initial_list": "any_cache"})
    assert past(asked.system) == {process}


def test_a_scenario_may_ask_for_it() -> None:
    spec = {"variants": ["kubelet.initial_list=any_cache"]}
    scenario = {"apiVersion": "kythera/v1alpha1", "kind": "Scenario", "metadata": {"name": "s"}, "spec": spec}
    loaded = load_documents([{"apiVersion": "v1", **pod("a")}, scenario])
    assert loaded.scenario.variants == {"kubelet.initial_list": "any_cache"}


def test_it_costs_nothing_where_nothing_crashes_or_where_it_is_consistent() -> None:
    assert past(deleted(Faults(crash=0), kubelet="any_cache").system) == set()
    assert past(deleted(kubelet="consistent").system) == set()
    assert past(deleted().system) == set()


def test_with_time_travel_everybody_may_go_back() -> None:
    assert past(deleted(Faults(crash=1, staleness="timeTravel")).system) == {"kubelet/n1", "kube-scheduler"}
