"""The garbage collector: deletes objects whose owners are gone, and ends foreground and orphaning deletions.

It owns: nothing.  (Upstream remembers owners that it has found to be absent.  What is absent stays so, since no uid
comes back; so with the right key this saves requests and changes nothing.  See the variant below.)
It may: delete objects, take owners away from objects, and take the finalizers ``orphan`` and ``foregroundDeletion``
away.

Who depends on whom is what its informers show, and they may be behind (``view.list``).  Before it deletes anything it
asks the API server for the object and for each of its owners, and then deletes only that incarnation,
and only while its owners are the ones that were looked up.

Source: pkg/controller/garbagecollector/garbagecollector.go, graph_builder.go, operations.go;
https://kubernetes.io/docs/concepts/architecture/garbage-collection/.

Simplifies:

* The look-ups of one look are answered at one moment.  A later answer could only find more owners absent.
* Nothing has to trigger a look: an object may be looked after at any time, so every order in which upstream's two
  queues may be worked off is allowed.
* An owner of a kind that is not modelled, or that the input only refers to, is taken to exist.

Variants (``garbage-collector.setting=value``):

* ``absent_owner_cache=uid``  absent owners are remembered by their uid alone, as before Kubernetes 1.20
  (kubernetes/kubernetes#65200): a reference to an owner in another namespace makes it absent everywhere
* ``owner_lookup=cached``     owners are looked up in its informers
* ``deletes=nothing``         it never deletes
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, cast

from kythera.model.api.meta import ObjectMeta, OwnerReference, deletion_mark, identity
from kythera.model.controller import Controller, Step
from kythera.model.record import Record, Uid, record, replace
from kythera.model.request import Delete, Patch, Ref, Request, Update, ref_of
from kythera.model.view import View

NAME = "garbage-collector"
ORPHAN = "orphan"
FOREGROUND = "foregroundDeletion"
LATEST = "latest/"
"""The present objects of a kind are in the view under the kind's name with this before it."""

Coordinates = tuple[str, str, str]
"""Kind, namespace and name."""


@record
class Absent(Record):
    """Owners known to be absent, by their uids: only the variant remembers any."""

    uids: tuple[Uid, ...] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """What it looks after.

    ``kinds`` are those of owners and dependents; objects of ``cluster_scoped`` ones have no namespace; ``outside``
    are owners that exist although no object stands for them.
    """

    kinds: tuple[type[Record], ...]
    cluster_scoped: frozenset[str] = frozenset()
    outside: frozenset[Coordinates] = frozenset()
    cache_by_uid: bool = False
    cached_lookup: bool = False
    deletes: bool = True


@dataclass(frozen=True, slots=True)
class Classified:
    """The owners of an object: there, gone, or waiting for their dependents to go."""

    solid: tuple[OwnerReference, ...] = ()
    dangling: tuple[OwnerReference, ...] = ()
    waiting: tuple[OwnerReference, ...] = ()


def keys(view: View, scope: Scope) -> Iterable[Ref]:
    """Every object that has an owner, or a finalizer that is for the garbage collector."""
    for kind in scope.kinds:
        for obj in view.list(kind):
            if _meta(obj).owner_references or _is_collected(obj):
                yield ref_of(obj)


def reconcile(local: Absent, view: View, key: Ref, *, scope: Scope) -> Iterator[Step]:
    """Do for one object what its owners, or its own deletion, ask for.

    Source: pkg/controller/garbagecollector/garbagecollector.go attemptToDeleteItem, attemptToOrphanWorker.
    """
    item = _find(view.objects.get(key.kind, ()), key)
    if item is not None and _ends_with(item, ORPHAN):
        yield Step(local, orphan(view, item, scope), why="its dependents are to stay")
        return
    latest = _find(_latest(view, key.kind), key)
    if item is None or latest is None or _meta(latest).uid != key.uid:
        yield Step(local)
    elif _ends_with(item, FOREGROUND):
        waits = any(ref.block_owner_deletion for _, ref in dependents(view, item, scope))
        yield Step(local, () if waits else (_without_finalizer(item, FOREGROUND),), why="its dependents are gone")
    elif _is_terminating(item):
        yield Step(local)
    else:
        local, found = classify(local, view, latest, scope)
        requests = collect(view, item, latest, found, scope)
        if not scope.deletes:
            requests = tuple(each for each in requests if not isinstance(each, Delete))
        yield Step(local, requests, why=_why(found))


def _why(owners: Classified) -> str:
    """Why an object that is not being deleted loses owners, or goes."""
    if owners.solid:
        return "some of its owners are gone" if owners.dangling else "some of its owners are being deleted"
    if owners.waiting:
        return "its owner is being deleted in the foreground, and waits for it"
    return "none of its owners is there"


def dependents(view: View, owner: Record, scope: Scope) -> Iterator[tuple[Record, OwnerReference]]:
    """The objects that are seen to have an owner of this uid, with their references to it."""
    for kind in scope.kinds:
        for obj in view.list(kind):
            for ref in _meta(obj).owner_references:
                if ref.uid == _meta(owner).uid:
                    yield obj, ref


def classify(local: Absent, view: View, item: Record, scope: Scope) -> tuple[Absent, Classified]:
    """What has become of the owners of an object, and what is remembered of it.

    Source: pkg/controller/garbagecollector/garbagecollector.go classifyReferences, isDangling.
    """
    solid, dangling, waiting = [], [], []
    for ref in _meta(item).owner_references:
        if ref.uid in local.uids:
            dangling.append(ref)
            continue
        owner = _owner(view, ref, _meta(item).namespace, scope)
        if owner is None:
            dangling.append(ref)
            if scope.cache_by_uid and ref.uid is not None:
                known = {
                    each.uid for kind in scope.kinds for obj in view.list(kind) for each in _meta(obj).owner_references
                }
                local = Absent(tuple(sorted({ref.uid, *(uid for uid in local.uids if uid in known)})))
        elif owner is not UNKNOWN and _ends_with(owner, FOREGROUND):
            waiting.append(ref)
        else:
            solid.append(ref)
    return local, Classified(tuple(solid), tuple(dangling), tuple(waiting))


@record
class Unknown(Record):
    """Stands for an owner that exists, and of which nothing else is known."""


UNKNOWN = Unknown()


def _owner(view: View, ref: OwnerReference, namespace: str, scope: Scope) -> Record | None:
    """The object that a reference of an object in a namespace refers to; it is there only with the same uid."""
    place = "" if ref.kind in scope.cluster_scoped else namespace
    known = any(kind.__name__ == ref.kind for kind in scope.kinds)
    if not known or (ref.kind, place, ref.name) in scope.outside:
        return UNKNOWN
    objects = view.objects.get(ref.kind, ()) if scope.cached_lookup else _latest(view, ref.kind)
    owner = _find(objects, Ref(ref.kind, place, ref.name, ref.uid))
    return owner if owner is not None and _meta(owner).uid == ref.uid else None


def collect(view: View, item: Record, latest: Record, owners: Classified, scope: Scope) -> tuple[Request, ...]:
    """The requests for an object that is not being deleted.

    It keeps the owners that are there, if any are; else it goes, and in the foreground if it has dependents itself and
    its owner waits for it.  Where such a dependent is itself waiting for others there may be a circle, and then nobody
    is to wait for this object any more.
    Source: pkg/controller/garbagecollector/garbagecollector.go attemptToDeleteItem.
    """
    references = _meta(latest).owner_references
    if not references:
        return ()
    if owners.solid:
        if not owners.dangling and not owners.waiting:
            return ()
        return (_with_owners(latest, tuple(ref for ref in references if ref in owners.solid)),)
    below = [obj for obj, _ in dependents(view, item, scope)]
    if owners.waiting and below:
        unblocked = references
        if any(_ends_with(obj, FOREGROUND) for obj in below):
            unblocked = tuple(replace(ref, block_owner_deletion=False) for ref in references)
        change = () if unblocked == references else (_with_owners(latest, unblocked),)
        return (*change, Delete(ref_of(latest), propagation_policy="Foreground", expected_owners=unblocked))
    finalizers = _meta(latest).finalizers
    policy = "Orphan" if ORPHAN in finalizers else "Foreground" if FOREGROUND in finalizers else "Background"
    return (Delete(ref_of(latest), propagation_policy=policy, expected_owners=references),)


def orphan(view: View, owner: Record, scope: Scope) -> tuple[Request, ...]:
    """The requests that take an owner away from the dependents that are seen, and then let it go.

    Source: pkg/controller/garbagecollector/garbagecollector.go orphanDependents.
    """
    freed: dict[Ref, Request] = {}
    for obj, _ in dependents(view, owner, scope):
        others = tuple(ref for ref in _meta(obj).owner_references if ref.uid != _meta(owner).uid)
        freed[ref_of(obj)] = _with_owners(obj, others)
    return (*freed.values(), _without_finalizer(owner, ORPHAN))


def _with_owners(obj: Record, owners: tuple[OwnerReference, ...]) -> Update:
    """The patch of an object's owners; upstream names those that go, here it is refused if there are others by then."""
    metadata = _meta(obj)
    changed = replace(cast(Any, obj), metadata=replace(metadata, owner_references=owners))
    return Update(changed, "ownerReferences", unconditional=True, expected_owners=metadata.owner_references)


def _without_finalizer(obj: Record, finalizer: str) -> Patch:
    """Source: pkg/controller/garbagecollector/operations.go removeFinalizer."""
    body = json.dumps({"metadata": {"$deleteFromPrimitiveList/finalizers": [finalizer]}})
    return Patch(ref_of(obj), "strategic", body)


def shape(obj: Record, *, all_of_them: bool = False) -> Record | None:
    """What it reads of an object: who it is, whose it is, and how it is being deleted.

    Objects that have no owner and nothing for the garbage collector to do are not selected.
    """
    metadata = _meta(obj)
    if not (all_of_them or metadata.owner_references or _is_collected(obj)):
        return None
    return cast(Record, type(cast(Any, obj))(metadata=_shaped(metadata)))


def _shaped(metadata: ObjectMeta) -> ObjectMeta:
    return replace(
        identity(metadata),
        deletion_timestamp=deletion_mark(metadata),
        finalizers=tuple(each for each in metadata.finalizers if each in (ORPHAN, FOREGROUND)),
        owner_references=metadata.owner_references,
    )


@lru_cache(maxsize=10_000)
def looked_up(objects: tuple[Record, ...]) -> tuple[Record, ...]:
    """The present objects of a kind as a GET of their metadata shows them."""
    return tuple(cast(Record, shape(obj, all_of_them=True)) for obj in objects)


def _latest(view: View, kind: str) -> tuple[Record, ...]:
    return view.objects.get(LATEST + kind, ())


def _find(objects: Iterable[Record], ref: Ref) -> Record | None:
    for obj in objects:
        metadata = _meta(obj)
        if metadata.namespace != ref.namespace:
            continue
        if metadata.name == ref.name if ref.name else metadata.uid == ref.uid:
            return obj
    return None


def _meta(obj: Record) -> ObjectMeta:
    return cast(ObjectMeta, cast(Any, obj).metadata)


def _is_terminating(obj: Record) -> bool:
    return _meta(obj).deletion_timestamp is not None


def _ends_with(obj: Record, finalizer: str) -> bool:
    """Whether an object is being deleted and waits for the garbage collector to take a finalizer away."""
    return _is_terminating(obj) and finalizer in _meta(obj).finalizers


def _is_collected(obj: Record) -> bool:
    return _ends_with(obj, ORPHAN) or _ends_with(obj, FOREGROUND)


def controller(
    settings: Mapping[str, str] = {},
    kinds: tuple[type[Record], ...] = (),
    cluster_scoped: frozenset[str] = frozenset(),
    outside: frozenset[Coordinates] = frozenset(),
) -> Controller:
    """The garbage collector of objects of some ``kinds``; see ``Scope`` on the others, and above on ``settings``."""
    scope = Scope(
        kinds,
        cluster_scoped,
        outside,
        cache_by_uid=settings.get(f"{NAME}.absent_owner_cache") == "uid",
        cached_lookup=settings.get(f"{NAME}.owner_lookup") == "cached",
        deletes=settings.get(f"{NAME}.deletes") != "nothing",
    )
    seen: Callable[[Any], Record | None] = partial(shape, all_of_them=scope.cached_lookup)
    return Controller(
        name=NAME,
        watches=kinds,
        writes=kinds,
        initial=Absent(),
        keys=partial(keys, scope=scope),
        reconcile=partial(reconcile, scope=scope),
        shapes=dict.fromkeys(kinds, seen),
        says="deletes objects whose owners are gone, and ends foreground and orphaning deletions",
    )
