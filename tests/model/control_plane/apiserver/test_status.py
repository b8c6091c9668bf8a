"""The status subresource: the status changes, and of the metadata what the kind's strategy lets pass."""

from __future__ import annotations

from typing import Any

import pytest
from tests.model.control_plane.apiserver.small import budget, only, running, stored

from kythera.model.api.apps import Deployment, ReplicaSet
from kythera.model.api.meta import LabelSelector, ObjectMeta, OwnerReference
from kythera.model.control_plane.apiserver.handler import handle
from kythera.model.record import Map, Record, Uid, replace
from kythera.model.request import Update
from kythera.model.view import View

META = ObjectMeta("web", namespace="default", uid=Uid(1), generation=1, labels=Map({"app": "w"}))
DEPLOYMENT = Deployment(META)
REPLICA_SET = ReplicaSet(META)
OWNER = OwnerReference("apps/v1", "Deployment", "web", Uid(9), True, True)


def reported(store: View, obj: Any, status: Any, unconditional: bool = False, **metadata: Any) -> Any:
    """The object after an update of its status that carries some other metadata as well."""
    changed = replace(obj, metadata=replace(obj.metadata, **metadata), status=status)
    after, reply = handle(store, Update(changed, "status", unconditional))
    assert reply.ok, reply.message
    return only(after, type(obj).__name__)


def test_the_revision_of_a_deployment_is_written_with_its_status_and_raises_no_generation() -> None:
    status = replace(DEPLOYMENT.status, replicas=2)
    found = reported(
        stored(DEPLOYMENT), DEPLOYMENT, status, annotations=Map({"deployment.kubernetes.io/revision": "1"})
    )
    assert found.status.replicas == 2
    assert found.metadata.annotations == Map({"deployment.kubernetes.io/revision": "1"})
    assert found.metadata.generation == 1


def test_a_deployments_labels_stay_those_of_other_kinds_do_not() -> None:
    labels = Map({"app": "x"})
    assert reported(stored(DEPLOYMENT), DEPLOYMENT, DEPLOYMENT.status, labels=labels).metadata.labels == META.labels
    assert reported(stored(REPLICA_SET), REPLICA_SET, REPLICA_SET.status, labels=labels).metadata.labels == labels
    one = budget()
    assert reported(stored(one), one, one.status, labels=labels).metadata.labels == labels


def test_a_pods_owners_stay_and_its_annotations_do_not() -> None:
    one = running(1)
    found = reported(stored(one), one, one.status, owner_references=(OWNER,), annotations=Map({"a": "b"}))
    assert found.metadata.owner_references == ()
    assert found.metadata.annotations == Map({"a": "b"})
    found = reported(stored(REPLICA_SET), REPLICA_SET, REPLICA_SET.status, owner_references=(OWNER,))
    assert found.metadata.owner_references == (OWNER,)


@pytest.mark.parametrize("obj", [DEPLOYMENT, REPLICA_SET, running(1), budget()], ids=lambda o: type(o).__name__)
def test_nobody_changes_with_the_status_what_only_the_api_server_may_say(obj: Record) -> None:
    metadata = obj.metadata  # type: ignore[attr-defined]
    store = stored(obj)
    found = reported(store, obj, obj.status, generation=7, deletion_timestamp=0)  # type: ignore[attr-defined]
    assert found.metadata == metadata


def test_a_patch_of_the_status_says_nothing_of_metadata() -> None:
    one = running(1)
    found = reported(stored(one), one, replace(one.status, phase="Failed"), unconditional=True, labels=Map({"a": "b"}))
    assert found.status.phase == "Failed"
    assert found.metadata == one.metadata


def test_the_specification_is_no_part_of_the_status() -> None:
    other = replace(DEPLOYMENT, spec=replace(DEPLOYMENT.spec, replicas=7, selector=LabelSelector()))
    found = reported(stored(DEPLOYMENT), other, DEPLOYMENT.status)
    assert found.spec.replicas != 7
