"""The API server: one request at a time, from the present state of the store to the next one and an answer.

It owns nothing but the store.  A request is admitted (defaults, admission plugins), validated, and carried
out atomically or refused with Kubernetes' own code, reason and message.  A write that changes nothing leaves
the very same store behind, and so wakes nobody.

Source: staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go and pkg/registry.
"""

from __future__ import annotations

from typing import Any, cast

from kythera.model.control_plane.apiserver import objects
from kythera.model.control_plane.apiserver.binding import bind
from kythera.model.control_plane.apiserver.deletion import delete
from kythera.model.control_plane.apiserver.eviction import evict
from kythera.model.control_plane.apiserver.patch import patch
from kythera.model.control_plane.apiserver.replies import Refusal, not_found, ok, resource_of
from kythera.model.control_plane.apiserver.writing import create, update
from kythera.model.controller import Reply
from kythera.model.record import Uid
from kythera.model.request import Bind, Create, Delete, Evict, Patch, Ref, Request, Update
from kythera.model.view import View


def handle(store: View, request: Request, *, stale: bool = False, fresh: int = 0) -> tuple[View, Reply]:
    """What the store is after ``request``, and the answer; a refused request leaves the store as it is.

    ``store`` holds the present objects of the kinds in ``reads(request)``, each kind sorted by namespace,
    name and uid, and so does the result.  ``stale``: the object of an ``Update`` changed after its sender
    read it; that is a conflict unless the request is unconditional.  ``fresh``: the uid of an object that is
    created.
    Source: staging/src/k8s.io/apiserver/pkg/endpoints/handlers.
    """
    try:
        match request:
            case Create():
                return create(store, request.object, Uid(fresh))
            case Update():
                return update(store, request, stale)
            case Delete():
                return delete(store, request)
            case Bind():
                return bind(store, request)
            case Evict():
                return evict(store, request)
            case Patch():
                return patch(store, request, Uid(fresh))
    except Refusal as refusal:
        return store, refusal.reply


def kind_of(request: Request) -> str:
    """The kind of the object that a request is about."""
    if isinstance(request, Create | Update):
        return type(request.object).__name__
    return request.ref.kind


def reads(request: Request) -> frozenset[str]:
    """The kinds whose present objects decide what becomes of a request.

    Besides the request's own: the namespace of what is created, the priority classes of a pod, the budgets
    that an eviction asks.  Kinds that the store lacks altogether are taken as not in use.
    """
    kind = kind_of(request)
    kinds = {kind}
    if isinstance(request, Create) or (isinstance(request, Patch) and request.type == "apply"):
        kinds.add("Namespace")
    if kind in ("Pod", "PriorityClass") and not isinstance(request, Delete | Bind | Evict):
        kinds.add("PriorityClass")
    if isinstance(request, Evict):
        kinds |= {"Pod", "PodDisruptionBudget"}
    return frozenset(kinds)


def get(store: View, kind: str, namespace: str, name: str) -> Reply:
    """The answer to a GET of one object.

    Errors: 404.
    Source: staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go Get.
    """
    try:
        resource = resource_of(kind)
        found = objects.get(store, Ref(kind, namespace, name))
        if found is None:
            raise not_found(resource, name)
        return ok(found)
    except Refusal as refusal:
        return refusal.reply


def listed(store: View, kind: str, namespace: str | None = None) -> tuple[Any, ...]:
    """The objects that a LIST of a kind shows, of one namespace or of all, sorted by namespace and name."""
    found = cast(tuple[Any, ...], store.objects.get(kind, ()))
    return found if namespace is None else tuple(o for o in found if o.metadata.namespace == namespace)
