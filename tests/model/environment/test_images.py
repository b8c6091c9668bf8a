"""Which images a node holds, for containers that may not pull theirs."""

from __future__ import annotations

from typing import Any

import pytest
from tests.model.environment.test_containers import ends, pods
from tests.systems import node, pod, question

from kythera.model.scenarios.scenario import NO_FAULTS


def with_policy(name: str, policy: str, image: str = "app:1") -> dict[str, Any]:
    made = pod(name, "100m")
    made["spec"]["containers"][0].update(imagePullPolicy=policy, image=image)
    return made


def phases(*documents: dict[str, Any]) -> dict[str, set[str]]:
    made = question(list(documents), NO_FAULTS).system
    found: dict[str, set[str]] = {}
    for row in ends(made):
        for name, each in pods(made, row).items():
            found.setdefault(name, set()).add(each.status.phase)
    return found


@pytest.mark.parametrize(
    ("held", "phase"), [((), "Pending"), (("app:1",), "Running"), (("docker.io/library/app:1",), "Running")]
)
def test_a_container_that_may_not_pull_starts_where_its_image_is(held: tuple[str, ...], phase: str) -> None:
    there = node("n1")
    there["status"]["images"] = [{"names": list(held), "sizeBytes": 1}]
    assert phases(there, with_policy("web", "Never")) == {"web": {phase}}


def test_an_image_that_was_pulled_for_one_container_is_there_for_others() -> None:
    found = phases(node("n1"), with_policy("web", "Never"), with_policy("other", "IfNotPresent"))
    assert found == {"web": {"Running"}, "other": {"Running"}}


def test_images_that_can_be_pulled_are_not_kept_in_mind() -> None:
    there = node("n1")
    there["status"]["images"] = [{"names": ["app:1"], "sizeBytes": 1}]
    made = question([there, with_policy("web", "IfNotPresent")], NO_FAULTS).system
    assert made.initial[made.index["local/kubelet/n1"]].runtime.images == ()
