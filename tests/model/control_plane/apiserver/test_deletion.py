"""Deletion: who goes at once, who is marked, and for how long."""

from __future__ import annotations

import pytest
from tests.model.control_plane.apiserver.small import after, only, pod, running, stored

from kythera.model.api.core.cluster import ConfigMap, Namespace
from kythera.model.api.meta import ObjectMeta, OwnerReference
from kythera.model.control_plane.apiserver.handler import handle
from kythera.model.record import Uid, replace
from kythera.model.request import Create, Delete, Ref, Update, ref_of
from kythera.model.view import view

MAP = Ref("ConfigMap", "default", "a")


def test_a_running_pod_is_marked_and_goes_when_its_kubelet_says_so() -> None:
    one = running(1)
    store, reply = handle(stored(one), Delete(ref_of(one)))
    marked = only(store, "Pod")
    assert reply.object == marked
    assert (marked.metadata.deletion_timestamp, marked.metadata.deletion_grace_period_seconds) == (-30, 30)
    assert marked.metadata.generation == 2
    store, _ = handle(store, Delete(ref_of(one), grace_period_seconds=0))
    assert store.objects["Pod"] == ()


def test_pods_that_run_nowhere_or_have_ended_go_at_once() -> None:
    store, _ = after(stored(), Create(pod()), Delete(Ref("Pod", "default", "a")))
    assert store.objects["Pod"] == ()
    ended = replace(running(1), status=replace(running(1).status, phase="Succeeded"))
    store, _ = handle(stored(ended), Delete(ref_of(ended)))
    assert store.objects["Pod"] == ()


def test_a_second_deletion_may_shorten_the_grace_period_but_not_lengthen_it() -> None:
    one = running(1)
    store, _ = handle(stored(one), Delete(ref_of(one)))
    older = only(store, "Pod")
    older = replace(older, metadata=replace(older.metadata, deletion_timestamp=-20))  # ten seconds later
    store = stored(older)
    assert handle(store, Delete(ref_of(one), 60))[0] is store
    assert handle(store, Delete(ref_of(one)))[0] is store
    store, _ = handle(store, Delete(ref_of(one), 15))
    marked = only(store, "Pod").metadata
    assert (marked.deletion_timestamp, marked.deletion_grace_period_seconds) == (-5, 15)
    assert marked.generation == 2


def test_a_negative_grace_period_means_one_second() -> None:
    one = running(1)
    store, _ = handle(stored(one), Delete(ref_of(one), -1))
    assert only(store, "Pod").metadata.deletion_grace_period_seconds == 1


def test_the_uid_is_a_precondition() -> None:
    one = running(1)
    named = replace(one, metadata=replace(one.metadata, name="a", generate_name=""))
    store = stored(named)
    same, reply = handle(store, Delete(Ref("Pod", "default", "a", Uid(2))))
    assert same is store
    assert reply.code == 409
    assert reply.message == (
        'Operation cannot be fulfilled on Pod "a": the UID in the precondition (2) does not match the UID in '
        "record (1). The object might have been deleted and then recreated"
    )


@pytest.mark.parametrize(("policy", "finalizer"), [("Foreground", "foregroundDeletion"), ("Orphan", "orphan")])
def test_a_propagation_policy_is_a_finalizer_for_the_garbage_collector(policy: str, finalizer: str) -> None:
    store, _ = after(
        view(ConfigMap=()),
        Create(ConfigMap(ObjectMeta("a", namespace="default"))),
        Delete(MAP, propagation_policy=policy),
    )
    marked = only(store, "ConfigMap")
    assert marked.metadata.finalizers == (finalizer,)
    assert marked.metadata.deletion_timestamp == 0
    freed = replace(marked, metadata=replace(marked.metadata, finalizers=()))
    store, _ = handle(store, Update(freed))
    assert store.objects["ConfigMap"] == ()


def test_without_a_policy_the_finalizers_that_an_object_has_decide() -> None:
    held = ConfigMap(ObjectMeta("a", namespace="default", finalizers=("foregroundDeletion",)))
    store, _ = after(view(ConfigMap=()), Create(held), Delete(MAP))
    assert only(store, "ConfigMap").metadata.finalizers == ("foregroundDeletion",)
    store, _ = handle(store, Delete(MAP, propagation_policy="Orphan"))
    assert only(store, "ConfigMap").metadata.finalizers == ("orphan",)
    store, _ = handle(store, Delete(MAP, propagation_policy="Background"))
    assert store.objects["ConfigMap"] == ()


def test_a_kubelet_does_not_undo_the_foreground_deletion_of_its_pod() -> None:
    one = running(1)
    store, _ = after(
        stored(one), Delete(ref_of(one), propagation_policy="Foreground"), Delete(ref_of(one), grace_period_seconds=0)
    )
    marked = only(store, "Pod").metadata
    assert (marked.finalizers, marked.deletion_grace_period_seconds) == (("foregroundDeletion",), 0)


def test_there_are_three_propagation_policies() -> None:
    store, _ = after(view(ConfigMap=()), Create(ConfigMap(ObjectMeta("a", namespace="default"))))
    same, reply = handle(store, Delete(MAP, propagation_policy="Sideways"))
    assert same is store
    assert reply.code == 422
    assert reply.message == (
        'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Sideways": supported values: '
        '"Foreground", "Background", "Orphan", "nil"'
    )


def test_the_owners_are_a_precondition_where_somebody_says_so() -> None:
    owner = OwnerReference("apps/v1", "ReplicaSet", "web", Uid(9), True, True)
    one = running(1, owner_references=(owner,))
    store = stored(one)
    same, reply = handle(store, Delete(ref_of(one), expected_owners=()))
    assert (same is store, reply.code) == (True, 409)
    store, reply = handle(store, Delete(ref_of(one), expected_owners=(owner,)))
    assert reply.ok
    assert only(store, "Pod").metadata.deletion_timestamp is not None


def test_a_namespace_takes_no_finalizer_from_a_policy() -> None:
    store, _ = after(
        view(Namespace=()), Create(Namespace(ObjectMeta("team"))),
        Delete(Ref("Namespace", name="team"), propagation_policy="Foreground"),
    )  # fmt: skip
    team = only(store, "Namespace")
    assert (team.metadata.finalizers, team.spec.finalizers, team.status.phase) == ((), ("kubernetes",), "Terminating")


def test_finalizers_hold_an_object_and_none_may_come_while_it_is_being_deleted() -> None:
    held = ConfigMap(ObjectMeta("a", namespace="default", finalizers=("x.y/z",)))
    store, _ = after(view(ConfigMap=()), Create(held), Delete(MAP))
    marked = only(store, "ConfigMap")
    more = replace(marked, metadata=replace(marked.metadata, finalizers=("x.y/z", "x.y/w")))
    _, reply = handle(store, Update(more))
    assert reply.message == (
        'ConfigMap "a" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the '
        'object is being deleted, found new finalizers []string{"x.y/w"}'
    )
    assert handle(store, Delete(MAP))[0] is store


def test_nobody_takes_back_a_deletion() -> None:
    one = running(1)
    store, _ = handle(stored(one), Delete(ref_of(one)))
    assert handle(store, Update(one))[0] is store


def test_a_pod_with_a_finalizer_outlives_its_grace_period() -> None:
    one = running(1, finalizers=("x.y/z",))
    store, _ = after(stored(one), Delete(ref_of(one)), Delete(ref_of(one), 0))
    marked = only(store, "Pod")
    assert marked.metadata.deletion_grace_period_seconds == 0
    freed = replace(marked, metadata=replace(marked.metadata, finalizers=()))
    store, _ = handle(store, Update(freed))
    assert store.objects["Pod"] == ()
