"""Deletions by users: under the names of kubectl's flags, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kythera.model.environment.users import requests_of
from kythera.model.request import Delete, Ref
from kythera.model.scenarios.compile import compile_system
from kythera.model.scenarios.loader import Unusable, load, load_documents
from kythera.model.scenarios.scenario import NO_FAULTS, Event, Rung

POD: dict[str, Any] = {
    "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-0", "namespace": "team"},
    "spec": {"containers": [{"name": "c", "image": "i"}]},
}  # fmt: skip


def asked(*events: dict[str, Any]) -> list[dict[str, Any]]:
    """A pod, and what users do."""
    scenario = {"apiVersion": "kythera/v1alpha1", "kind": "Scenario", "metadata": {"name": "s"}}
    return [POD, {**scenario, "spec": {"events": list(events)}}]


def only(event: dict[str, Any]) -> Event:
    """The event as it was understood."""
    (found,) = load_documents(asked(event)).scenario.events
    return found


@pytest.mark.parametrize(
    ("said", "cascade", "grace"),
    [
        ({}, "Background", None),
        ({"cascade": "foreground"}, "Foreground", None),
        ({"cascade": "orphan", "gracePeriod": "1m30s"}, "Orphan", 90),
        ({"gracePeriod": 5}, "Background", 5),
        ({"gracePeriod": 0}, "Background", 1),
        ({"gracePeriod": 0, "force": True}, "Background", 0),
        ({"force": True}, "Background", 0),
        ({"force": False}, "Background", None),
    ],
)
def test_a_deletion_is_asked_for_as_kubectl_does(said: dict[str, Any], cascade: str, grace: int | None) -> None:
    (request,) = requests_of(only({"delete": "pod/web-0", **said}))
    assert request == Delete(Ref("Pod", "team", "web-0"), grace, cascade)


@pytest.mark.parametrize(
    ("event", "field", "said"),
    [
        ("{delete: pod/web-0, cascade: sideways}", "cascade", "one of background, foreground, orphan"),
        ("{delete: pod/web-0, cascade: true}", "cascade", "one of background, foreground, orphan, found true"),
        ("{delete: pod/web-0, gracePeriod: soon}", "gracePeriod", "a duration such as 40s"),
        ("{delete: pod/web-0, gracePeriod: -1}", "gracePeriod", "a duration such as 40s"),
        ("{delete: pod/web-0, force: perhaps}", "force", "expected true or false"),
        ("{delete: pod/web-0, force: true, gracePeriod: 3}", "gracePeriod", "expected 0, or no force"),
        ("{delete: pod/web-0, propagation: orphan}", "propagation", "unknown field"),
        ("{scale: deployment/web, replicas: 1, cascade: orphan}", "cascade", "unknown field"),
    ],
)
def test_a_deletion_that_makes_no_sense(tmp_path: Path, event: str, field: str, said: str) -> None:
    text = f"apiVersion: kythera/v1alpha1\nkind: Scenario\nmetadata: {{name: s}}\nspec:\n  events:\n  - {event}\n"
    (tmp_path / "scenario.yaml").write_text(text)
    with pytest.raises(Unusable) as unusable:
        load([tmp_path])
    found = [p for p in unusable.value.problems if p.field == f"spec.events[0].{field}"]
    assert [problem.line for problem in found] == [6]
    assert said in found[0].text


def test_a_namespace_that_objects_are_in_can_be_deleted_though_no_document_holds_it() -> None:
    loaded = load_documents(asked({"delete": "namespace/team"}))
    assert loaded.scenario.events[0].target == "Namespace/team"
    system = compile_system(loaded.objects, loaded.scenario, Rung("coarse", NO_FAULTS))
    assert any(process.name == "namespace" for process in system.processes)


def test_a_trace_keeps_how_something_was_deleted() -> None:
    loaded = load_documents(asked({"delete": "pod/web-0", "cascade": "orphan", "gracePeriod": "5s"}))
    assert load_documents(loaded.documents).scenario.events == loaded.scenario.events
