"""Requests: what a component asks of the API server.

A request that changes an object carries the object as its sender wants it.  An ``Update`` is conditional unless it
says otherwise: it conflicts if the object changed after the state that the sender computed it from.
Requests that a sender makes by patch or on a subresource without a resourceVersion are ``unconditional``.

Objects are referred to by ``Ref``: namespace and name where the object has a name, uid where the name is generated; a
uid beside a name is a precondition.

Source: Kubernetes API concepts (https://kubernetes.io/docs/reference/using-api/api-concepts/).
"""

from __future__ import annotations

from kythera.model.api.meta import ObjectMeta, OwnerReference
from kythera.model.record import NodeName, Record, Uid, record


@record
class Ref(Record):
    """Which object: kind, then namespace and name, or uid where the name is generated."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: Uid | None = None


@record
class Create(Record):
    """Store a new object; refused if one of its name exists."""

    object: Record


@record
class Update(Record):
    """Replace an object, or with a ``subresource`` ("status", "scale") only that part of it.

    An unconditional update of a pod's status is a patch by condition types: those that it does not speak of stay; with
    "conditions" nothing else of the status changes.

    "ownerReferences" is no subresource of Kubernetes: it stands for the patch of an object's owners by which
    controllers adopt and release; it is refused if the object's owners are not those of ``expected_owners``.
    """

    object: Record
    subresource: str = ""
    unconditional: bool = False
    expected_owners: tuple[OwnerReference, ...] | None = None


@record
class Delete(Record):
    """Delete an object; with ``ref.uid`` only this incarnation of it, with ``expected_owners`` only while it has these.

    ``propagation_policy`` is Background, Foreground or Orphan; without one the finalizers that the object has decide.
    """

    ref: Ref
    grace_period_seconds: int | None = None
    propagation_policy: str = ""
    expected_owners: tuple[OwnerReference, ...] | None = None


@record
class Bind(Record):
    """Assign a pod to a node (``pods/binding``); refused if it has one already."""

    ref: Ref
    node: NodeName


@record
class Evict(Record):
    """Delete a pod if its disruption budgets allow it (``pods/eviction``)."""

    ref: Ref
    grace_period_seconds: int | None = None


@record
class Patch(Record):
    """Merge a patch into an object; ``type`` is "merge", "strategic" or "apply" (kubectl's three-way apply).

    ``body`` is JSON: the patch, or for "apply" the whole new manifest.
    """

    ref: Ref
    type: str = "merge"
    body: str = "{}"
    subresource: str = ""


Request = Create | Update | Delete | Bind | Evict | Patch


def ref_of(obj: Record) -> Ref:
    """The reference to an object that exists."""
    meta: ObjectMeta = obj.metadata  # type: ignore[attr-defined]
    return Ref(type(obj).__name__, meta.namespace, meta.name, meta.uid)
