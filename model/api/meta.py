"""``meta/v1``: what every object carries, label selectors, and conditions.

Field names are the API's own in snake_case.  ``name`` is empty for an object whose name the API server generates:
such an object is told apart by its uid, and shown as ``generate_name`` followed by the uid.

Source: staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/types.go.
"""

from __future__ import annotations

from typing import ClassVar

from kythera.model.record import EMPTY, Age, Map, Record, Uid, record

IntOrString = int | str


@record
class OwnerReference(Record):
    """A reference to the object that owns this one; at most one owner of an object is its controller."""

    api_version: str = ""
    kind: str = ""
    name: str = ""
    uid: Uid | None = None
    controller: bool = False
    block_owner_deletion: bool = False


@record
class ObjectMeta(Record):
    """Identity, labels, ownership and life cycle of an object."""

    name: str = ""
    generate_name: str = ""
    namespace: str = ""
    uid: Uid | None = None
    resource_version: int = 0
    generation: int = 0
    labels: Map[str] = EMPTY
    annotations: Map[str] = EMPTY
    creation_timestamp: Age | None = None
    deletion_timestamp: Age | None = None
    deletion_grace_period_seconds: int | None = None
    finalizers: tuple[str, ...] = ()
    owner_references: tuple[OwnerReference, ...] = ()

    ignored: ClassVar[dict[str, str]] = {
        "managedFields": "field ownership of server-side apply is not modelled",
        "selfLink": "not set since Kubernetes 1.20",
    }


def identity(meta: ObjectMeta) -> ObjectMeta:
    """Who an object is, and nothing else that is said of it: what the shape of an informer begins with."""
    return ObjectMeta(name=meta.name, generate_name=meta.generate_name, namespace=meta.namespace, uid=meta.uid)


def deletion_mark(meta: ObjectMeta) -> Age | None:
    """0 for an object whose deletion has been asked for, whenever it is due."""
    return None if meta.deletion_timestamp is None else Age(0)


@record
class LabelSelectorRequirement(Record):
    """``key operator values``; operator is In, NotIn, Exists or DoesNotExist."""

    key: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()


@record
class LabelSelector(Record):
    """All of ``match_labels`` and all of ``match_expressions``; empty selects everything, ``None`` nothing."""

    match_labels: Map[str] = EMPTY
    match_expressions: tuple[LabelSelectorRequirement, ...] = ()


@record
class Condition(Record):
    """An entry of ``status.conditions`` of any kind; ``status`` is True, False or Unknown."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    observed_generation: int | None = None
    last_transition_time: Age | None = None
    last_update_time: Age | None = None
    last_heartbeat_time: Age | None = None
    last_probe_time: Age | None = None
