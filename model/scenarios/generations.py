"""Generations that stay small.

``metadata.generation`` counts the changes of a specification.  Two autoscalers that undo each other's work would count
for ever, and no run of theirs would ever come back to a state that it was in.  What anybody reads off the number is
whether a status speaks of the present specification or of an older one.  So the generations of an object that are
written down anywhere are renumbered 1, 2, 3, ... in their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kythera.model.feed import Objects
from kythera.model.host import Outbox
from kythera.model.record import replace
from kythera.model.request import Create, Update
from kythera.model.system import Stage

RESIZED = ("Deployment", "ReplicaSet")
"""The kinds whose specification an autoscaler may change again and again."""

Numbers = dict[int, dict[int, int]]


def unread(kind: str) -> Stage:
    """The generation of objects of a kind whose generation nobody compares: always 1."""

    def function(values: tuple[Any, ...]) -> tuple[Any, ...]:
        return (tuple(_first(obj) for obj in values[0]),)

    return Stage(f"generations of {kind}", (f"objects/{kind}",), frozenset({f"objects/{kind}"}), function)


def _first(obj: Any) -> Any:
    meta = obj.metadata
    return obj if meta.generation <= 1 else replace(obj, metadata=replace(meta, generation=1))


def renumbered(kind: str, slots: Iterable[str]) -> Stage:
    """The generations of a kind, wherever its objects are: stored, seen, to be seen, or in a request to be sent.

    It follows the stages by which informers are told of a change.
    """
    stored = f"objects/{kind}"
    places = tuple(
        name
        for name in slots
        if name == stored
        or (name.endswith(f"/{kind}") and name.startswith(("seen/", "pending/", "past/")))
        or name.startswith("outbox/")
    )

    def function(values: tuple[Any, ...]) -> tuple[Any, ...]:
        found: dict[int, set[int]] = {}
        for value in values:
            for obj in _objects(value, kind):
                found.setdefault(obj.metadata.uid, set()).update(_generations(obj))
        new: Numbers = {uid: {old: n for n, old in enumerate(sorted(each), 1)} for uid, each in found.items()}
        if all(old == n for each in new.values() for old, n in each.items()):
            return values
        return tuple(_rewritten(value, kind, new) for value in values)

    return Stage(f"generations of {kind}", places, frozenset({stored}), function)


def _objects(value: Any, kind: str) -> Iterator[Any]:
    """The objects of a kind in the value of a slot: a snapshot, a queue of snapshots, or an outbox."""
    if isinstance(value, Outbox):
        yield from (r.object for r in value.requests if isinstance(r, (Create, Update)) and _is(r.object, kind))
        return
    for each in value:
        yield from each if isinstance(each, tuple) else (each,)


def _is(obj: Any, kind: str) -> bool:
    return type(obj).__name__ == kind and obj.metadata.uid is not None


def _generations(obj: Any) -> Iterator[int]:
    """The generations of itself that an object mentions; 0 means that it mentions none."""
    status = obj.status
    told = (each.observed_generation or 0 for each in status.conditions)
    yield from (n for n in (obj.metadata.generation, status.observed_generation, *told) if n)


def _rewritten(value: Any, kind: str, new: Numbers) -> Any:
    if isinstance(value, Outbox):
        requests = tuple(
            replace(each, object=_renumber(each.object, new))
            if isinstance(each, (Create, Update)) and _is(each.object, kind)
            else each
            for each in value.requests
        )
        return replace(value, requests=requests)
    return tuple(_snapshot(each, new) if isinstance(each, tuple) else _renumber(each, new) for each in value)


def _snapshot(objects: Objects, new: Numbers) -> Objects:
    return tuple(_renumber(each, new) for each in objects)


def _renumber(obj: Any, new: Numbers) -> Any:
    numbers: Mapping[int, int] = {0: 0, **new[obj.metadata.uid]}
    meta = replace(obj.metadata, generation=numbers[obj.metadata.generation])
    conditions = tuple(
        replace(each, observed_generation=numbers[each.observed_generation]) if each.observed_generation else each
        for each in obj.status.conditions
    )
    observed = numbers[obj.status.observed_generation]
    after = replace(obj, metadata=meta, status=replace(obj.status, observed_generation=observed, conditions=conditions))
    return obj if after == obj else after
