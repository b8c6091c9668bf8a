"""Whether a scenario needs the garbage collector, and for which kinds.

It is part of a scenario only where something can be left behind or waits for it:

* an event deletes an object that owns others, or deletes anything with ``cascade: foreground`` or ``orphan``
* an object of the input is being deleted with one of its finalizers, or refers to an owner that is somewhere else

(A Deployment deletes ReplicaSets itself, but only those that have no pods.)

It asks the API server for everything.  Only where a foreground or orphaning deletion is possible does it matter that
its informers lag, since these deletions go by the dependents that it sees; only there do its informers cost states.

Source: https://kubernetes.io/docs/concepts/architecture/garbage-collection/.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kythera.model.control_plane.apiserver.resources import RESOURCES, place_of
from kythera.model.environment.users import KINDS
from kythera.model.record import Record
from kythera.model.scenarios.scenario import Event, Scenario

OWNS: Mapping[str, tuple[str, ...]] = {
    "Deployment": ("ReplicaSet",),
    "ReplicaSet": ("Pod",),
    "Service": ("EndpointSlice",),
}
"""The kinds of objects that components make for an object of a kind, with an owner reference to it."""

TIDIED_UP = frozenset({"Service"})
"""Kinds whose component removes what it made for them itself, in this model."""

FINALIZERS = ("orphan", "foregroundDeletion")


@dataclass(frozen=True, slots=True)
class Garbage:
    """What the garbage collector has to look after: the kinds, owners that are not in the input, whether it lags."""

    kinds: tuple[type[Record], ...]
    cluster_scoped: frozenset[str]
    outside: frozenset[tuple[str, str, str]]
    lags: bool


def garbage(objects: Sequence[Record], scenario: Scenario, kinds: Collection[str]) -> Garbage | None:
    """What there may be to collect in a scenario in which objects of ``kinds`` exist or are applied; ``None``: nothing.

    An owner that nothing in the input stands for is taken to exist outside of it, as a part of a cluster's dump has it.
    """
    metas = [(type(obj).__name__, _meta(obj)) for obj in objects]
    uids = {meta.uid for _, meta in metas}
    owned = _owned(metas)
    deletions = [event for event in scenario.events if event.verb == "delete"]
    special = {_kind(event) for event in deletions if event.cascade != "background"}
    special |= {kind for kind, meta in metas if meta.deletion_timestamp is not None and _collected(meta.finalizers)}
    left = {_kind(event) for event in deletions if owned.get(_kind(event)) or _kind(event) not in TIDIED_UP}
    left = {kind for kind in left if OWNS.get(kind) or owned.get(kind)}
    misplaced = {
        kind
        for kind, meta in metas
        for ref in meta.owner_references
        if ref.uid in uids and not _is_there(metas, ref, meta)
    }
    if not special | left | misplaced:
        return None
    existing = _closure(kinds, OWNS)
    below = _closure(special | left | misplaced, {**OWNS, **{k: (*OWNS.get(k, ()), *v) for k, v in owned.items()}})
    wanted = (below & existing) | {
        owner for owner in existing if (set(OWNS.get(owner, ())) | owned.get(owner, set())) & below
    }
    return Garbage(
        tuple(RESOURCES[kind].kind for kind in sorted(wanted) if kind in RESOURCES),
        frozenset(kind for kind, resource in RESOURCES.items() if not resource.namespaced),
        owners_outside(objects),
        bool(special) or scenario.variants.get("garbage-collector.owner_lookup") == "cached",
    )


def owners_outside(objects: Iterable[Record]) -> frozenset[tuple[str, str, str]]:
    """The owners that objects refer to and that are not among them: kind, namespace and name."""
    metas = [_meta(obj) for obj in objects]
    uids = {meta.uid for meta in metas}
    return frozenset(
        (ref.kind, place_of(ref.kind, meta.namespace), ref.name)
        for meta in metas
        for ref in meta.owner_references
        if ref.uid not in uids
    )


def deletes_namespace(scenario: Scenario, objects: Iterable[Record]) -> bool:
    """Whether a namespace is, or is to be, deleted."""
    terminating = any(
        type(obj).__name__ == "Namespace" and _meta(obj).deletion_timestamp is not None for obj in objects
    )
    return terminating or any(event.verb == "delete" and _kind(event) == "Namespace" for event in scenario.events)


def _meta(obj: Any) -> Any:
    return obj.metadata


def _kind(event: Event) -> str:
    short = event.target.partition("/")[0]
    return KINDS.get(short.lower(), short)


def _collected(finalizers: Iterable[str]) -> bool:
    return any(each in FINALIZERS for each in finalizers)


def _owned(metas: Iterable[tuple[str, Any]]) -> dict[str, set[str]]:
    """Kind -> the kinds of the input's objects that refer to an owner of that kind."""
    found: dict[str, set[str]] = {}
    for kind, meta in metas:
        for ref in meta.owner_references:
            found.setdefault(ref.kind, set()).add(kind)
    return found


def _is_there(metas: Iterable[tuple[str, Any]], ref: Any, dependent: Any) -> bool:
    """Whether the owner is where a reference says that it is."""
    place = place_of(ref.kind, dependent.namespace)
    return any(
        (kind, meta.namespace, meta.name, meta.uid) == (ref.kind, place, ref.name, ref.uid) for kind, meta in metas
    )


def _closure(kinds: Iterable[str], edges: Mapping[str, Iterable[str]]) -> set[str]:
    found: set[str] = set()
    ahead = list(kinds)
    while ahead:
        kind = ahead.pop()
        if kind not in found:
            found.add(kind)
            ahead += edges.get(kind, ())
    return found
