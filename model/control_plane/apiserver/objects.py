"""The stored objects of one kind: a tuple that stays sorted by namespace, name and uid.

Source: the keys of staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go (NamespaceKeyFunc).
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

from kythera.model.api.meta import ObjectMeta
from kythera.model.record import Record, replace
from kythera.model.request import Ref
from kythera.model.view import View

R = TypeVar("R", bound=Record)
Objects = tuple[Record, ...]


def meta(obj: Record) -> ObjectMeta:
    """The metadata of an object of any kind."""
    return cast(ObjectMeta, cast(Any, obj).metadata)


def with_metadata(obj: R, metadata: ObjectMeta) -> R:
    """The object with other metadata."""
    return cast(R, replace(cast(Any, obj), metadata=metadata))


def sort_key(obj: Record) -> tuple[str, str, int]:
    """What objects of a kind are sorted by: namespace, name, uid."""
    metadata = meta(obj)
    return metadata.namespace, metadata.name, -1 if metadata.uid is None else metadata.uid


def find(objects: Objects, ref: Ref) -> Record | None:
    """The object of the reference's namespace and name, whatever its uid; by uid where it has no name."""
    for obj in objects:
        metadata = meta(obj)
        if ref.name:
            if metadata.name == ref.name and metadata.namespace == ref.namespace:
                return obj
        elif metadata.uid == ref.uid:
            return obj
    return None


def get(store: View, ref: Ref) -> Record | None:
    """The stored object that ``ref`` stands for (see ``find``)."""
    return find(store.objects.get(ref.kind, ()), ref)


def put(store: View, new: Record, old: Record | None = None) -> View:
    """The store with ``new`` in place of ``old``, or beside the others; the same store if nothing changes."""
    if old is not None and (new is old or new == old):
        return store
    kind = type(new).__name__
    objects: Objects = store.objects.get(kind, ())
    if old is not None and sort_key(old) == sort_key(new):
        changed = tuple(new if obj is old else obj for obj in objects)
    else:
        changed = tuple(sorted((*(obj for obj in objects if obj is not old), new), key=sort_key))
    return View(store.objects.set(kind, changed))


def remove(store: View, old: Record) -> View:
    """The store without ``old``."""
    kind = type(old).__name__
    return View(store.objects.set(kind, tuple(obj for obj in store.objects.get(kind, ()) if obj is not old)))
