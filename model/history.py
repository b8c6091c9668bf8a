"""Histories: what has happened to the objects of one kind, as far back as somebody has not seen it yet.

A kind's slot holds a ``History``: snapshots of all its objects, oldest first, the last one being the present.  Each
informer stands somewhere in it.  Its position is how many changes *that it can see* it is behind (its lag): an
informer with a ``shape`` sees only what its shape shows, and what it cannot see never holds it back.

So a write is one snapshot more and one more to the lag of each informer that sees it; an informer that learns has a
smaller lag; snapshots that nobody needs any more are dropped (``trim``); and whether an object has changed since
somebody read it can be read off exactly, without versions (``changed_since``).

Source: etcd's revisions and client-go's Reflector (tools/cache/reflector.go); the contract of
https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes.
Simplifies: a watch never closes and a history is never compacted under a reader, so nobody lists again but after a
crash; each kind has its own history, so that kinds lag independently, as separate watches do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from kythera.model.record import Record, record
from kythera.model.request import Ref

Objects = tuple[Record, ...]
Shape = Callable[[Any], Record | None]


@record
class History(Record):
    """Snapshots of the objects of one kind, oldest first; the last one is the present."""

    snapshots: tuple[Objects, ...] = ((),)

    @property
    def present(self) -> Objects:
        """The objects as they are stored now."""
        return self.snapshots[-1]


@lru_cache(maxsize=200_000)
def shaped(objects: Objects, shape: Shape | None) -> Objects:
    """A snapshot as an informer with this shape sees it."""
    if shape is None:
        return objects
    return tuple(seen for obj in objects if (seen := shape(obj)) is not None)


@lru_cache(maxsize=200_000)
def position(history: History, lag: int, shape: Shape | None) -> int:
    """The index of the newest snapshot that shows what an informer with this lag sees."""
    snapshots = history.snapshots
    at = len(snapshots) - 1
    if shape is None:
        return max(at - lag, 0)
    sees = shaped(snapshots[at], shape)
    while at > 0 and lag > 0:
        at -= 1
        older = shaped(snapshots[at], shape)
        if older != sees:
            lag -= 1
            sees = older
    return at


def changed_since(history: History, at: int, ref: Ref) -> bool:
    """Whether the object was written (or deleted, or created anew) after the snapshot of index ``at``."""
    versions = [find(snapshot, ref) for snapshot in history.snapshots[at:]]
    return any(a is not b and a != b for a, b in zip(versions, versions[1:], strict=False))


def find(objects: Objects, ref: Ref) -> Record | None:
    """The object that has the reference's namespace and name, or its uid where the name is generated."""
    for obj in objects:
        meta: Any = obj.metadata  # type: ignore[attr-defined]
        if ref.name:
            if meta.name == ref.name and meta.namespace == ref.namespace:
                return obj
        elif meta.uid == ref.uid:
            return obj
    return None


def push(history: History, objects: Objects, retain: bool) -> History:
    """The history after a write; without ``retain`` nobody can be behind, and only the present is kept."""
    return History((*history.snapshots, objects) if retain else (objects,))


def trim(history: History, needed: Sequence[int]) -> History:
    """The history without what lies before the oldest snapshot that is still needed."""
    oldest = min(needed, default=len(history.snapshots) - 1)
    return History(history.snapshots[oldest:]) if oldest > 0 else history
