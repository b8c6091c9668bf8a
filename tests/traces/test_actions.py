"""The catalogue of actions is complete, and every entry says when, what then, and who promises it."""

from __future__ import annotations

import pytest
from tests.systems import autoscaler, budget, deployment, event, node, system

from kythera.model.environment import network
from kythera.traces.actions import CONTROLLERS, catalogue, parts_of

ROWS = catalogue()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['component']}.{row['action']}")
def test_an_action_says_when_and_then_and_who_promises_it(row: dict[str, str]) -> None:
    assert row["says"]
    assert row["when"]
    assert row["then"]
    assert row["source"]
    assert row["simplifies"]


def test_every_rule_of_a_large_system_is_in_the_catalogue() -> None:
    documents = [
        node("n1"),
        node("n2"),
        deployment(1),
        budget(minAvailable=1),
        autoscaler("web", 1, 2, "Deployment/web"),
    ]
    made = system(documents, events=(event("d", "drain", "n1"),))
    told = {row["action"] for row in ROWS}
    assert {rule.name for process in made.processes for rule in process.rules} <= told


def test_the_components_that_are_there_have_an_entry() -> None:
    told = {row["component"] for row in ROWS if row["action"] == "work"}
    assert (
        {"deployment", "replicaset", "kube-scheduler", "kubelet", "kube-proxy"}
        <= told
        <= {*CONTROLLERS, "every component"}
    )


def test_a_docstring_is_taken_apart_by_its_labels() -> None:
    parts = parts_of("Does it.\n\nMore of it.\n\nSource: a, b;\nc.\nSimplifies: the rest: all of it.")
    assert parts == {"": "Does it. More of it.", "Source": "a, b; c.", "Simplifies": "the rest: all of it."}


def test_a_rule_without_a_source_of_its_own_has_that_of_its_module() -> None:
    assert "Source:" not in network.cut.doc
    (row,) = (row for row in ROWS if row["component"] == "network" and row["action"] == "cut")
    assert row["source"].startswith("https://kubernetes.io/")
