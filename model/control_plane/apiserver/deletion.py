"""Deletion: grace periods, finalizers and propagation policies.

An object goes at once, or is marked (``deletion_timestamp``) and goes when its last finalizer and its grace
period are gone.  Only pods have a grace period.

Source: staging/src/k8s.io/apiserver/pkg/registry/rest/delete.go BeforeDelete;
staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go Delete,
deletionFinalizersForGarbageCollection; pkg/registry/core/pod/strategy.go CheckGracefulDelete;
pkg/registry/core/namespace/storage/storage.go Delete.
"""

from __future__ import annotations

from typing import TypeVar

from kythera.model.api.core.cluster import Namespace
from kythera.model.api.core.pod import Pod
from kythera.model.api.pods import is_terminal
from kythera.model.control_plane.apiserver.objects import get, meta, put, remove, with_metadata
from kythera.model.control_plane.apiserver.replies import (
    MODIFIED,
    conflict,
    forbidden,
    invalid_options,
    not_found,
    ok,
    resource_of,
    shown,
)
from kythera.model.controller import Reply
from kythera.model.record import Age, Record, replace
from kythera.model.request import Delete
from kythera.model.view import View

R = TypeVar("R", bound=Record)

ORPHAN = "orphan"
FOREGROUND = "foregroundDeletion"
FINALIZERS = {"Orphan": ORPHAN, "Foreground": FOREGROUND}
"""What a propagation policy leaves on an object, for the garbage collector to do and then to take away."""

POLICIES = ("Foreground", "Background", "Orphan")
ORPHANED_BY_DEFAULT = ("Job", "ReplicationController")
"""Kinds whose dependents stay where a deletion says nothing, for the sake of clients older than the policies.

Source: pkg/registry/batch/job/strategy.go, pkg/registry/core/replicationcontroller/strategy.go
DefaultGarbageCollectionPolicy.
"""

IMMORTAL_NAMESPACES = ("default", "kube-system", "kube-public")


def delete(store: View, request: Delete) -> tuple[View, Reply]:
    """The store after a DELETE, and the answer: the object as it was marked, or as it was when it went.

    A second DELETE may shorten a grace period (seconds) but not lengthen it.
    Errors: 404; 409 if ``request.ref.uid`` is not the object's or its owners are not the expected ones; 403 for the
    namespaces that must stay; 422 for a propagation policy that there is not.
    Source: staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go Delete.
    Simplifies: a precondition on the resourceVersion is one on the owners: who sends it tries again as long as these
    stay (pkg/controller/garbagecollector/operations.go deleteObject).
    """
    resource = resource_of(request.ref.kind)
    if request.propagation_policy not in ("", *POLICIES):
        raise invalid_options("propagationPolicy", request.propagation_policy, (*POLICIES, "nil"))
    obj = get(store, request.ref)
    name = shown(request.ref)
    if obj is None:
        raise not_found(resource, name)
    if request.ref.uid is not None and request.ref.uid != meta(obj).uid:
        raise conflict(
            resource.group_kind,
            name,
            f"the UID in the precondition ({request.ref.uid}) does not match the UID in record "
            f"({meta(obj).uid}). "
            "The object might have been deleted and then recreated",
        )
    if request.expected_owners not in (None, meta(obj).owner_references):
        raise conflict(resource.group_kind, name, MODIFIED)
    if isinstance(obj, Namespace):
        if name in IMMORTAL_NAMESPACES:
            raise forbidden(resource, name, "this namespace may not be deleted")
        closing = _mark(obj, 0)
        closing = replace(closing, status=replace(closing.status, phase="Terminating"))
        gone = not closing.spec.finalizers and not closing.metadata.finalizers
        return (remove(store, obj) if gone else put(store, closing, obj)), ok(closing)
    if isinstance(obj, Pod):
        return _delete_pod(store, obj, request)
    after = _with_finalizers(obj, request.propagation_policy)
    if meta(after).finalizers:
        after = _mark(after, 0)
        return put(store, after, obj), ok(after)
    return remove(store, obj), ok(after)


def _delete_pod(store: View, pod: Pod, request: Delete) -> tuple[View, Reply]:
    metadata = pod.metadata
    asked = request.grace_period_seconds
    if asked is not None and asked < 0:
        asked = 1  # the oldest clients send a negative number and mean "soon"
    if metadata.deletion_timestamp is None:
        after = _mark(_with_finalizers(pod, request.propagation_policy), _grace(pod, asked))
    else:
        before = metadata.deletion_grace_period_seconds or 0
        if before > 0 and (asked is None or asked >= before):
            return store, ok(pod)
        after = _with_finalizers(pod, request.propagation_policy)
        if before > 0 and asked is not None:
            moment = Age(metadata.deletion_timestamp + before - asked)
            shorter = replace(after.metadata, deletion_timestamp=moment, deletion_grace_period_seconds=asked)
            after = replace(after, metadata=shorter)
    if after.metadata.finalizers or after.metadata.deletion_grace_period_seconds:
        return put(store, after, pod), ok(after)
    return remove(store, pod), ok(after)


def _grace(pod: Pod, asked: int | None) -> int:
    """Seconds between the request and the end of a pod, as the API server counts them."""
    if not pod.spec.node_name or is_terminal(pod):
        return 0
    period = (pod.spec.termination_grace_period_seconds or 0) if asked is None else asked
    return 1 if period < 0 else period


def _mark(obj: R, grace: int) -> R:
    """The object, to be deleted in ``grace`` seconds from now; one that is marked already stays as it is."""
    metadata = meta(obj)
    if metadata.deletion_timestamp is not None:
        return obj
    marked = replace(
        metadata,
        deletion_timestamp=Age(-grace),
        deletion_grace_period_seconds=grace,
        generation=metadata.generation + 1 if metadata.generation else 0,
    )
    return with_metadata(obj, marked)


def _with_finalizers(obj: R, policy: str) -> R:
    """The object with the finalizer that the propagation policy asks for, and without the other one.

    Source: staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go
    deletionFinalizersForGarbageCollection.
    """
    metadata = meta(obj)
    there = {ORPHAN, FOREGROUND} & set(metadata.finalizers)
    if not policy:
        if there:
            return obj
        policy = "Orphan" if type(obj).__name__ in ORPHANED_BY_DEFAULT else "Background"
    wanted = (FINALIZERS[policy],) if policy in FINALIZERS else ()
    if set(wanted) == there:
        return obj
    kept = tuple(f for f in metadata.finalizers if f not in (ORPHAN, FOREGROUND))
    return with_metadata(obj, replace(metadata, finalizers=kept + wanted))
