"""Creating and updating: admit, prepare, validate, store.

Source: staging/src/k8s.io/apiserver/pkg/registry/rest/create.go BeforeCreate, update.go BeforeUpdate;
staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go Create, Update.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast

from kythera.model.api.core.cluster import Namespace
from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod, PodStatus
from kythera.model.api.core.service import Service
from kythera.model.api.meta import Condition, ObjectMeta
from kythera.model.api.pods import set_condition
from kythera.model.api.requests import qos_class
from kythera.model.control_plane.apiserver.admission import PriorityClasses, admit
from kythera.model.control_plane.apiserver.defaulting import default
from kythera.model.control_plane.apiserver.objects import get, meta, put, remove, with_metadata
from kythera.model.control_plane.apiserver.replies import (
    Refusal,
    already_exists,
    conflict,
    forbidden,
    internal,
    invalid,
    not_found,
    ok,
    other_incarnation,
    resource_of,
    shown,
)
from kythera.model.control_plane.apiserver.resources import Resource
from kythera.model.control_plane.apiserver.service_addresses import allocate, keep_allocated
from kythera.model.control_plane.apiserver.validation import validate, validate_update
from kythera.model.controller import Reply
from kythera.model.record import Age, Record, Uid, replace
from kythera.model.request import Ref, Update, ref_of
from kythera.model.view import View


def create(store: View, obj: Record, fresh: Uid) -> tuple[View, Reply]:
    """The store with a new object, whose uid is ``fresh``; where the name is to be generated it stays empty.

    Errors: 409 if the name is taken, 403 or 404 if the namespace is terminating or missing (where the store
    has any namespaces), 403 from admission, 422 from validation.
    Source: staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go Create.
    Simplifies: a generated name never collides with another.
    """
    resource = resource_of(type(obj).__name__)
    metadata = meta(obj)
    if metadata.resource_version:
        raise internal("resourceVersion should not be set on objects to be created")
    _check_namespace(store, resource, obj)
    new = _ready_to_create(obj, priority_classes(store, resource), metadata.name or metadata.generate_name)
    if metadata.name:
        there = get(store, Ref(resource.kind.__name__, metadata.namespace, metadata.name))
        if there is not None:
            deleting = meta(there).deletion_timestamp is not None
            raise already_exists(resource, metadata.name, deleting)
    new = with_metadata(new, replace(meta(new), uid=fresh))
    if isinstance(new, Service):
        new = allocate(new, store.list(Service))
    return put(store, new), ok(new, 201)


def priority_classes(store: View, resource: Resource) -> PriorityClasses | None:
    """The priority classes that admission looks at, ``None`` where the store has no such kind."""
    if resource.kind.__name__ not in ("Pod", "PriorityClass"):
        return None
    return cast("PriorityClasses | None", store.objects.get("PriorityClass"))


def _check_namespace(store: View, resource: Resource, obj: Record) -> None:
    """Refuse an object in a namespace that is missing or on its way out.

    Source: staging/src/k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle/admission.go.
    """
    namespaces = store.list(Namespace)
    if not resource.namespaced or not namespaces:
        return
    wanted = meta(obj).namespace
    for namespace in namespaces:
        if namespace.metadata.name == wanted:
            if namespace.status.phase == "Terminating" or namespace.metadata.deletion_timestamp is not None:
                why = f"unable to create new content in namespace {wanted} because it is being terminated"
                raise forbidden(resource, shown(meta(obj)), why)
            return
    raise not_found(resource_of("Namespace"), wanted)


@lru_cache(maxsize=50_000)
def _ready_to_create(obj: Record, classes: PriorityClasses | None, name: str) -> Record:
    """The object as it is stored, but for its uid, or a refusal."""
    resource = resource_of(type(obj).__name__)
    new = _prepared(admit(default(obj), None, classes, _refuser(resource, name)), resource)
    errors = validate(new)
    if errors:
        raise invalid(resource, name, errors)
    return new


def _refuser(resource: Resource, name: str) -> Any:
    return lambda why: forbidden(resource, name, why)


def _prepared(obj: Record, resource: Resource) -> Record:
    """The object without what only the API server may say, and with what it says of a new object."""
    metadata = replace(
        meta(obj),
        uid=None,
        resource_version=0,
        generation=1 if resource.generation else 0,
        creation_timestamp=Age(0),
        deletion_timestamp=None,
        deletion_grace_period_seconds=None,
    )
    new: Any = with_metadata(obj, metadata)
    if isinstance(new, Pod):
        return replace(new, status=PodStatus(phase="Pending", qos_class=qos_class(new), conditions=_gated(new)))
    if isinstance(new, Namespace):
        spec = replace(new.spec, finalizers=tuple(dict.fromkeys((*new.spec.finalizers, "kubernetes"))))
        labels = new.metadata.labels.set("kubernetes.io/metadata.name", new.metadata.name)
        return replace(
            new,
            metadata=replace(metadata, labels=labels),
            spec=spec,
            status=replace(new.status, phase="Active"),
        )
    if resource.status and not isinstance(new, Node):
        return cast(Record, replace(new, status=type(new.status)()))
    return cast(Record, new)


def _gated(pod: Pod) -> tuple[Condition, ...]:
    if not pod.spec.scheduling_gates:
        return ()
    message = "Scheduling is blocked due to non-empty scheduling gates"
    return (Condition("PodScheduled", "False", "SchedulingGated", message, last_transition_time=Age(0)),)


def update(store: View, request: Update, stale: bool) -> tuple[View, Reply]:
    """The store with the object replaced, or with a subresource only its part of the object.

    Everybody may change labels, annotations, finalizers and owners together with the main resource; what the
    API server alone decides (uid, times, generation) stays.  An object whose last finalizer goes while it is
    being deleted is gone, once it has no grace period left.
    Errors: 404; 409 for another incarnation or a stale sender; 422 from validation; 403 from admission.
    An update of the status takes metadata along too, but for what the kind's strategy holds back
    (``Resource.kept_by_status``); one that is a patch of the status speaks of nothing else.
    Source: staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go Update.
    """
    obj = request.object
    resource = resource_of(type(obj).__name__)
    name = shown(meta(obj))
    old = get(store, ref_of(obj))
    if old is None:
        raise not_found(resource, name)
    uid = meta(obj).uid
    if uid is not None and uid != meta(old).uid:
        raise other_incarnation(old, uid)
    if stale and not request.unconditional:
        raise conflict(resource.name, name)
    if request.expected_owners not in (None, meta(old).owner_references):
        raise conflict(resource.name, name)
    if request.subresource == "ownerReferences":
        _check_adopters(store, meta(old), meta(obj), resource, name)
    if request.unconditional and request.subresource in ("status", "conditions"):
        obj = with_metadata(_onto(old, obj), meta(old))
    return replaced(store, old, obj, request.subresource)


def _check_adopters(store: View, before: ObjectMeta, after: ObjectMeta, resource: Resource, name: str) -> None:
    """Refuse an adoption by an owner that is gone or is being deleted.

    It is the controllers that look at their own object afresh before they adopt; here the answer and the adoption are
    one moment.
    Source: pkg/controller/controller_ref_manager.go CanAdopt; pkg/controller/controller_utils.go
    RecheckDeletionTimestamp.
    """
    known = {ref.uid for ref in before.owner_references}
    for ref in after.owner_references:
        if ref.uid in known or ref.kind not in store.objects:
            continue
        owner = get(store, Ref(ref.kind, after.namespace, ref.name))
        if owner is None or meta(owner).uid != ref.uid or meta(owner).deletion_timestamp is not None:
            raise conflict(resource.name, name, f"{after.namespace}/{ref.name} has just been deleted")


def _onto(old: Record, obj: Record) -> Record:
    """A status patch: conditions of types that it does not speak of stay as they are stored."""
    stored, sent = getattr(old, "status", None), getattr(obj, "status", None)
    if not isinstance(stored, PodStatus) or not isinstance(sent, PodStatus):
        return obj
    conditions = stored.conditions
    for each in sent.conditions:
        conditions = set_condition(conditions, each)
    return cast(Record, replace(cast(Any, obj), status=replace(sent, conditions=conditions)))


def replaced(store: View, old: Record, obj: Record, subresource: str = "") -> tuple[View, Reply]:
    """The store after ``obj`` (or the part of it that the subresource covers) takes the place of ``old``."""
    resource = resource_of(type(old).__name__)
    new = _ready_to_update(old, obj, subresource, priority_classes(store, resource))
    if new == old:
        return store, ok(old)
    metadata = meta(new)
    if metadata.deletion_timestamp is not None and not metadata.finalizers:
        waits = isinstance(new, Namespace) and new.spec.finalizers
        if not waits and not metadata.deletion_grace_period_seconds and _was_kept(old):
            return remove(store, old), ok(new)
    return put(store, new, old), ok(new)


def _was_kept(old: Record) -> bool:
    """Whether only finalizers kept the object."""
    return bool(meta(old).finalizers) or (isinstance(old, Namespace) and bool(old.spec.finalizers))


@lru_cache(maxsize=50_000)
def _ready_to_update(old: Record, obj: Record, subresource: str, classes: PriorityClasses | None) -> Record:
    """The object as it is stored after an update, or a refusal."""
    resource = resource_of(type(old).__name__)
    name = shown(meta(old))
    new: Any = obj
    before: Any = default(old)  # what is read from the store is given its defaults as well
    if subresource == "":
        if resource.status:
            new = replace(new, status=before.status)
        if isinstance(before, Namespace):
            new = replace(new, spec=before.spec)
        new = replace(new, metadata=_kept_metadata(meta(old), meta(obj)))
        if isinstance(before, Service) and isinstance(new, Service):
            new = keep_allocated(new, before)
        new = admit(default(new), before, classes, _refuser(resource, name))
    elif subresource == "status" and resource.status:
        status = default(new).status if isinstance(new, Node) else new.status
        new = replace(before, status=status, metadata=_metadata_with_status(meta(old), meta(obj), resource))
        if isinstance(new, Pod) and not new.status.qos_class:
            new = replace(new, status=replace(new.status, qos_class=before.status.qos_class))
    elif subresource == "conditions" and isinstance(before, Pod):
        new = replace(before, status=replace(before.status, conditions=new.status.conditions))
    elif subresource == "scale" and resource.scale:
        new = replace(before, spec=replace(before.spec, replicas=new.spec.replicas))
    elif subresource == "ownerReferences":
        owners = new.metadata.owner_references
        new = replace(before, metadata=replace(before.metadata, owner_references=owners))
    elif subresource == "finalize" and isinstance(before, Namespace):
        new = replace(before, spec=new.spec)
    else:
        raise Refusal(Reply(404, "NotFound", "the server could not find the requested resource"))
    if subresource != "status" and resource.generation and resource.generation(new) != resource.generation(before):
        raised = replace(new.metadata, generation=before.metadata.generation + 1)
        new = replace(new, metadata=raised)
    if new == before:
        return old
    errors = validate_update(before, new, subresource)
    if errors:
        raise invalid(resource, name, errors)
    return cast(Record, new)


def _metadata_with_status(old: Any, new: Any, resource: Resource) -> Any:
    """The metadata after an update of the status.

    Source: PrepareForUpdate of the status strategy of each kind (pkg/registry/<group>/<kind>/strategy.go).
    """
    kept = {name: getattr(old, name) for name in resource.kept_by_status}
    return replace(_kept_metadata(old, new), **kept)


def _kept_metadata(old: Any, new: Any) -> Any:
    """The metadata of the update, with what nobody but the API server may change as it was."""
    return replace(
        new,
        generate_name=old.generate_name,
        uid=old.uid,
        resource_version=old.resource_version,
        generation=old.generation,
        creation_timestamp=old.creation_timestamp,
        deletion_timestamp=old.deletion_timestamp,
        deletion_grace_period_seconds=old.deletion_grace_period_seconds,
    )
