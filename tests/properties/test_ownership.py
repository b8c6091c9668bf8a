"""What the garbage collector must do and must not do, and the variants under which it fails."""

from __future__ import annotations

from typing import Any

import pytest
from tests.properties.judging import judge
from tests.systems import deployment, event, node, pod, question, replica_set

from kythera.model.scenarios.scenario import NO_FAULTS, Faults
from kythera.properties.liveness.owners_gone import OWNERS_GONE_DEPENDENTS_GONE
from kythera.properties.safety.live_owners import NO_LIVE_OWNER_COLLECTED
from kythera.properties.statement import Question, Statement

LAG = Faults(crash=0)


def owned(name: str, namespace: str = "default") -> dict[str, Any]:
    """A pod that says that the ReplicaSet web, the first document, owns it."""
    made = pod(name, "100m", nodeName="n1")
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "of-web", "controller": True}
    made["metadata"] = {
        "name": name, "namespace": namespace, "labels": {"app": "web"}, "ownerReferences": [owner],
    }  # fmt: skip
    return made


def copied_reference(**more: Any) -> Question:
    """A manifest was copied to another namespace, owner and all."""
    return question([replica_set(1), owned("a"), owned("b", "other"), node("n1")], **more)


def deleted(cascade: str = "background", **more: Any) -> Question:
    """A Deployment that somebody deletes at some time."""
    bye = event("bye", "delete", "deployment/web", cascade=cascade)
    return question([node("n1"), deployment(1)], events=(bye,), **more)


def deleted_set(cascade: str = "background", **more: Any) -> Question:
    """The same of a ReplicaSet."""
    bye = event("bye", "delete", "replicaset/web", cascade=cascade)
    return question([node("n1"), replica_set(1)], events=(bye,), **{"faults": LAG, **more})


CASES = [(NO_LIVE_OWNER_COLLECTED, copied_reference, 2), (OWNERS_GONE_DEPENDENTS_GONE, deleted, 8)]


@pytest.mark.parametrize("cascade", ["background", "foreground", "orphan"])
@pytest.mark.parametrize("statement", [NO_LIVE_OWNER_COLLECTED, OWNERS_GONE_DEPENDENTS_GONE], ids=lambda s: s.name)
def test_all_ways_to_delete_a_deployment_keep_to_both(statement: Statement, cascade: str) -> None:
    assert judge(statement, deleted(cascade, faults=NO_FAULTS)).message is None


def test_a_foreground_deletion_whose_informers_lag_keeps_to_both() -> None:
    for statement in (NO_LIVE_OWNER_COLLECTED, OWNERS_GONE_DEPENDENTS_GONE):
        assert judge(statement, deleted_set("foreground")).message is None


def test_a_dependent_that_was_not_seen_before_an_orphaning_deletion_is_collected() -> None:
    """Upstream frees the dependents that its graph shows; what came later has lost its owner, and goes."""
    answer = judge(OWNERS_GONE_DEPENDENTS_GONE, deleted_set("orphan"))
    assert answer.message is None
    assert answer.applied


def test_owners_that_are_looked_up_in_informers_may_seem_to_be_gone() -> None:
    new = {"apiVersion": "apps/v1", **replica_set(1)}
    events = (event("new", "apply", manifest=new), event("bye", "delete", "replicaset/web", after=("new",)))

    def ask(**variants: str) -> Question:
        chosen = {f"garbage-collector.{name}": value for name, value in variants.items()}
        return question([node("n1")], LAG, "fine", events=events, variants=chosen, schedulers=())

    answer = judge(NO_LIVE_OWNER_COLLECTED, ask(owner_lookup="cached"))
    assert answer.message is not None
    assert "although its owner ReplicaSet web is there" in answer.message


@pytest.mark.parametrize("statement", [NO_LIVE_OWNER_COLLECTED, OWNERS_GONE_DEPENDENTS_GONE], ids=lambda s: s.name)
def test_it_says_nothing_where_there_is_no_garbage(statement: Statement) -> None:
    asked = question([node("n1"), deployment(1)])
    assert list(statement.bind(statement, asked)) == []
