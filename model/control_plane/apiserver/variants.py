"""Variants of the API server: named deviations that show what its promises are worth.

    apiserver.conflict=ignore      an update is accepted although it was computed from an older state
    apiserver.binding=overwrite    a pod that has a node is bound again
    apiserver.uid=reuse            a new object gets the uid of one that exists
    apiserver.eviction=refuse      every eviction is refused, as if its budget were exhausted

None of them is a Kubernetes that was ever released.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kythera.model.api.core.pod import Pod
from kythera.model.control_plane.apiserver.handler import handle
from kythera.model.controller import Reply
from kythera.model.record import Map, replace
from kythera.model.request import Bind, Create, Evict, Request
from kythera.model.view import View

Handle = Callable[..., tuple[View, Reply]]

VARIANTS: Mapping[str, tuple[str, ...]] = {
    "apiserver.conflict": ("refuse", "ignore"),
    "apiserver.binding": ("once", "overwrite"),
    "apiserver.uid": ("fresh", "reuse"),
    "apiserver.eviction": ("budget", "refuse"),
}
"""The variants and their values, the default first."""


def handle_of(variants: Mapping[str, str]) -> Handle:
    """The API server with the variants that are named; without any it is ``handle`` itself."""
    chosen = {name: value for name, value in variants.items() if value != VARIANTS.get(name, (value,))[0]}
    if not chosen:
        return handle

    def deviating(store: View, request: Request, *, stale: bool = False, fresh: int = 0) -> tuple[View, Reply]:
        if chosen.get("apiserver.eviction") == "refuse" and isinstance(request, Evict):
            return store, Reply(
                429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget."
            )
        if chosen.get("apiserver.conflict") == "ignore":
            stale = False
        if chosen.get("apiserver.uid") == "reuse" and isinstance(request, Create):
            fresh = _uid_in_use(store, type(request.object).__name__, fresh)
        if chosen.get("apiserver.binding") == "overwrite" and isinstance(request, Bind):
            store = _unbound(store, request)
        return handle(store, request, stale=stale, fresh=fresh)

    return deviating


def _uid_in_use(store: View, kind: str, fresh: int) -> int:
    """The uid of an object of a kind, or the fresh one if there is none."""
    objects: tuple[Any, ...] = store.objects.get(kind, ())
    return next((obj.metadata.uid for obj in objects), fresh)


def _unbound(store: View, request: Bind) -> View:
    """The store as if the pod had no node yet."""
    pods = tuple(
        replace(pod, spec=replace(pod.spec, node_name=None)) if pod.metadata.uid == request.ref.uid else pod
        for pod in store.list(Pod)
    )
    return View(Map({**store.objects, "Pod": pods}))
