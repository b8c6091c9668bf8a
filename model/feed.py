"""Feeds: what an informer has seen of a kind, and what it has not seen yet.

A kind's slot holds its objects as they are now.  Each informer that may be behind has two slots of its own: ``seen``,
the objects as it last saw them, and ``pending``, the states of the kind that it will see next, oldest first.  An
informer with a ``shape`` is told only what its shape shows, so what it cannot see never holds it back.

A write appends one state to ``pending`` of each informer that can see the difference (``told``); an informer that
learns moves the first one to ``seen``.  Whether an object has changed since somebody read it can then be read off
exactly, without versions (``changed_since``).

Source: client-go's Reflector (tools/cache/reflector.go); the contract of
https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes.
Simplifies: a watch never closes and events are never compacted under a reader, so nobody lists again but after a
crash; each kind is watched on its own, so that kinds lag independently, as separate watches do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

from kythera.model.record import Record
from kythera.model.request import Ref

Objects = tuple[Record, ...]
Pending = tuple[Objects, ...]
Shape = Callable[[Any], Record | None]


@lru_cache(maxsize=200_000)
def shaped(objects: Objects, shape: Shape | None) -> Objects:
    """The objects of a kind as an informer with this shape sees them."""
    if shape is None:
        return objects
    return tuple(seen for obj in objects if (seen := shape(obj)) is not None)


def told(objects: Objects, seen: Objects, pending: Pending, shape: Shape | None, newest: bool) -> Pending:
    """What an informer has still to see after the objects of its kind have become ``objects``.

    ``newest``: only the present is kept (coarse granularity, where an informer learns everything at once).
    """
    now = shaped(objects, shape)
    if newest:
        return () if now == seen else (now,)
    last = pending[-1] if pending else seen
    return pending if now == last else (*pending, now)


def changed_since(seen: Objects, pending: Pending, ref: Ref) -> bool:
    """Whether the object was written, deleted or created anew after an informer saw it."""
    versions = [find(objects, ref) for objects in (seen, *pending)]
    return any(a is not b and a != b for a, b in pairwise(versions))


def find(objects: Sequence[Record], ref: Ref) -> Record | None:
    """The object that has the reference's namespace and name, or its uid where the name is generated."""
    for obj in objects:
        meta: Any = obj.metadata  # type: ignore[attr-defined]
        if ref.name:
            if meta.name == ref.name and meta.namespace == ref.namespace:
                return obj
        elif meta.uid == ref.uid:
            return obj
    return None
