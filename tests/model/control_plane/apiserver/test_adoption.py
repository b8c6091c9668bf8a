"""Adoption: who is gone or going adopts nobody."""

from __future__ import annotations

from typing import Any

import pytest
from tests.model.control_plane.apiserver.small import only, running

from kythera.model.api.apps import ReplicaSet
from kythera.model.api.meta import ObjectMeta
from kythera.model.api.ownership import owner_reference
from kythera.model.control_plane.apiserver.handler import handle
from kythera.model.controller import Reply
from kythera.model.record import Age, Uid, replace
from kythera.model.request import Update
from kythera.model.view import View, view

POD = running(1)
WEB = ReplicaSet(ObjectMeta("web", namespace="default", uid=Uid(5)))
LEAVING = replace(WEB, metadata=replace(WEB.metadata, deletion_timestamp=Age(0), finalizers=("orphan",)))


def adopted(*sets: Any) -> tuple[View, Reply]:
    """What becomes of an adoption by the ReplicaSet web where these ReplicaSets are."""
    metadata = replace(POD.metadata, owner_references=(owner_reference(WEB),))
    request = Update(replace(POD, metadata=metadata), "ownerReferences", unconditional=True, expected_owners=())
    return handle(view(Pod=(POD,), ReplicaSet=sets), request)


def test_an_owner_that_is_there_adopts() -> None:
    store, reply = adopted(WEB)
    assert reply.ok
    assert only(store, "Pod").metadata.owner_references == (owner_reference(WEB),)


@pytest.mark.parametrize(
    "sets",
    [(), (LEAVING,), (replace(WEB, metadata=replace(WEB.metadata, uid=Uid(6))),)],
    ids=["gone", "going", "another"],
)
def test_an_owner_that_is_not_what_it_was_adopts_nobody(sets: tuple[Any, ...]) -> None:
    store, reply = adopted(*sets)
    assert only(store, "Pod") == POD
    assert reply.code == 409
    assert "default/web has just been deleted" in reply.message


def test_a_reference_that_is_there_may_stay_while_its_owner_goes() -> None:
    owned = replace(POD, metadata=replace(POD.metadata, owner_references=(owner_reference(WEB),)))
    free = replace(owner_reference(WEB), block_owner_deletion=False)
    changed = replace(owned, metadata=replace(owned.metadata, owner_references=(free,)))
    request = Update(changed, "ownerReferences", unconditional=True, expected_owners=owned.metadata.owner_references)
    store, reply = handle(view(Pod=(owned,), ReplicaSet=(LEAVING,)), request)
    assert reply.ok
    assert only(store, "Pod").metadata.owner_references == (free,)
