"""Normalising: one canonical form for all states that differ only in names that nobody chose.

Absolute numbers never repeat, and then no loop ever closes.  So after a step

* uids are numbered anew: objects with a name first, then pods by what they are (``fingerprint``), then those that
  only a memory still holds; a pod is as good as any other that is in the same situation (symmetry over pods);
* nodes that the scenario cannot tell apart are put in the order of what is on them (symmetry over nodes);
* ages stop growing where nothing asks about them any more (``older``).

Each is a renaming of values, driven by the annotations ``Uid``, ``NodeName`` and ``Age`` of their records.  A
renaming maps the state graph onto itself, so a state may be exchanged for its renamed form at any time: verdicts stay,
and where two situations tie, keeping both costs states, not soundness.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from hashlib import blake2b
from typing import Any, cast

from kythera.model.record import Age, Map, NodeName, Record, Uid, record, replace

HOSTNAME = "kubernetes.io/hostname"


@record
class Renaming(Record):
    """Which uid and which node become which; what isn't mentioned keeps its name."""

    uids: Map[int] = Map()  # keys are the old uids as text
    nodes: Map[str] = Map()

    def __bool__(self) -> bool:
        return bool(self.uids) or bool(self.nodes)

    def uid(self, old: int) -> int:
        """The new number of a uid."""
        return self.uids.get(str(old), old)

    def node(self, old: str) -> str:
        """The new name of a node."""
        return self.nodes.get(old, old)


IDENTITY = Renaming()
NO_UIDS: frozenset[int] = frozenset()

ANY = "any"  # only the value itself tells what is in it
Leaf = Callable[[Any, Any, str], Any]


@cache
def _plan(hint: Any) -> Any:
    """What a field with this annotation can hold: ``None`` (no name), a leaf annotation, ``ANY``, or a shape."""
    if hint in (Uid, NodeName, Age):
        return hint
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        plans = {_plan(a) for a in arguments if a is not type(None)} - {None}
        return next(iter(plans)) if len(plans) == 1 else ANY if plans else None
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        inner = _plan(arguments[0])
        return ("each", inner) if inner else None
    if origin is tuple:
        inner = tuple(_plan(a) for a in arguments)
        return ("items", inner) if any(inner) else None
    if origin in (frozenset, Map):
        inner = _plan(arguments[0])
        return ("each", inner) if inner else None
    if isinstance(hint, type) and issubclass(hint, Record):
        return ANY if _may_hold(cast(Any, hint)) else None
    return None if hint in (str, int, bool, float, type(None)) else ANY


@cache
def _may_hold(cls: type[Record]) -> bool:
    """Whether a record of this very class can hold a name; base classes stand for all that derive from them."""
    return not cls.__record_fields__ or bool(_fields(cast(Any, cls)))


@cache
def _fields(cls: type[Record]) -> tuple[tuple[str, Any], ...]:
    hints = typing.get_type_hints(cls)
    return tuple((name, plan) for name in cls.__record_fields__ if (plan := _plan(hints[name])))


def transform(value: Any, leaf: Leaf) -> Any:
    """``value`` with ``leaf(annotation, value, "Class.field")`` in place of every uid, node name and age.

    What was in ascending order of its uids is so again afterwards.
    """
    return _walk(value, ANY, leaf, "")


def _walk(value: Any, plan: Any, leaf: Leaf, field: str) -> Any:
    if value is None or plan is None:
        return value
    if plan is Uid or plan is NodeName or plan is Age:
        return leaf(plan, value, field)
    if isinstance(value, Record):
        changes = {}
        name = type(value).__name__
        for part, inner in _fields(cast(Any, type(value))):
            old = getattr(value, part)
            if old is None or old == ():
                continue
            new = _walk(old, inner, leaf, f"{name}.{part}")
            if new is not old and new != old:
                changes[part] = new
        return replace(cast(Any, value), **changes) if changes else value
    if isinstance(value, tuple):
        if isinstance(plan, tuple) and plan[0] == "items":
            made = tuple(_walk(v, p, leaf, field) for v, p in zip(value, plan[1], strict=True))
        else:
            inner = plan[1] if isinstance(plan, tuple) else ANY
            made = tuple(_walk(v, inner, leaf, field) for v in value)
            if made != value and len(made) > 1:
                made = _by_order(made, [_order(v, inner) for v in value], inner)
        return value if made == value else made
    if isinstance(value, frozenset):
        return frozenset(_walk(v, plan[1] if isinstance(plan, tuple) else ANY, leaf, field) for v in value)
    if isinstance(value, Map):
        inner = plan[1] if isinstance(plan, tuple) else ANY
        return Map({k: _walk(v, inner, leaf, field) for k, v in value.items()})
    return value


def _by_order(made: tuple[Any, ...], before: list[Any], plan: Any) -> tuple[Any, ...]:
    """What was in order before is so again."""
    if len(made) < 2 or before[0] is None or before != sorted(before):
        return made
    after = [_order(v, plan) for v in made]
    return tuple(v for _, v in sorted(zip(after, made, strict=True), key=lambda pair: pair[0]))


def _order(item: Any, plan: Any) -> Any:
    """By what a collection is kept in order, if its items begin with a uid or are objects."""
    if plan is Uid:
        return item
    if isinstance(item, tuple) and isinstance(plan, tuple) and plan[0] == "items" and plan[1][0] is Uid:
        return item[0]
    if isinstance(item, Record):
        meta: Any = getattr(item, "metadata", None)
        if meta is not None and hasattr(meta, "uid"):
            return (meta.namespace, meta.name, -1 if meta.uid is None else meta.uid)
        fields = _fields(cast(Any, type(item)))
        if fields and fields[0][1] is Uid and fields[0][0] == type(item).__record_fields__[0]:
            return getattr(item, fields[0][0])
    return None


@lru_cache(maxsize=500_000)
def rename(value: Any, renaming: Renaming) -> Any:
    """``value`` under a renaming.  A node's own name and hostname label follow it."""
    if isinstance(value, tuple):  # item by item, since the items come back in other values
        made = tuple([rename(item, renaming) if isinstance(item, (Record, tuple)) else item for item in value])
        if made == value:
            return value
        return _by_order(made, [_order(item, ANY) for item in value], ANY) if not _are_nodes(made) else _in_order(made)

    def leaf(kind: Any, old: Any, _: str) -> Any:
        return renaming.uid(old) if kind is Uid else renaming.node(old) if kind is NodeName else old

    return transform(_rename_nodes(value, renaming) if renaming.nodes else value, leaf)


def _in_order(items: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(sorted(items, key=lambda item: _order(item, ANY)))


def _rename_nodes(value: Any, renaming: Renaming) -> Any:
    """Node objects, their Leases and references to them carry the node's name as their own."""
    if isinstance(value, tuple):
        made = tuple(_rename_nodes(v, renaming) for v in value)
        return _in_order(made) if _are_nodes(made) else made
    if not isinstance(value, Record):
        return value
    kind, any_value = type(value).__name__, cast(Any, value)
    if kind == "Ref":
        return replace(any_value, name=renaming.node(any_value.name)) if any_value.kind in ("Node", "Lease") else value
    if kind in ("Node", "Lease"):
        meta = any_value.metadata
        labels = meta.labels
        if labels.get(HOSTNAME) == meta.name:
            labels = labels.set(HOSTNAME, renaming.node(meta.name))
        return replace(any_value, metadata=replace(meta, name=renaming.node(meta.name), labels=labels))
    changes = {}
    for name in value.__record_fields__:
        old = getattr(value, name)
        if isinstance(old, (Record, tuple)) and old:
            new = _rename_nodes(old, renaming)
            if new != old:
                changes[name] = new
    return replace(any_value, **changes) if changes else value


def _are_nodes(items: tuple[Any, ...]) -> bool:
    return len(items) > 1 and type(items[0]).__name__ in ("Node", "Lease")


@lru_cache(maxsize=500_000)
def uids_in(value: Any) -> frozenset[int]:
    """The uids that a value holds."""
    if isinstance(value, tuple):
        return NO_UIDS.union(*[uids_in(item) for item in value if isinstance(item, (Record, tuple))])
    found: set[int] = set()

    def leaf(kind: Any, old: Any, _: str) -> Any:
        if kind is Uid:
            found.add(old)
        return old

    transform(value, leaf)
    return frozenset(found)


@lru_cache(maxsize=500_000)
def nodes_in(value: Any) -> frozenset[str]:
    """The node names that a value holds."""
    found: set[str] = set()

    def leaf(kind: Any, old: Any, _: str) -> Any:
        if kind is NodeName:
            found.add(old)
        return old

    transform(value, leaf)
    return frozenset(found)


@lru_cache(maxsize=500_000)
def anonymous(value: Any, node: str | None = None) -> int:
    """A number for ``value`` whatever its uids are; with ``node``, as ``node`` sees it: itself, and others.

    Collections are often kept in the order of uids, so the order of their parts does not count either.
    """

    def leaf(kind: Any, old: Any, _: str) -> Any:
        if kind is Uid:
            return -1
        return ("" if old == node else "other") if kind is NodeName and node is not None else old

    return _digest(transform(value, leaf), ordered=False)


def older(value: Any, seconds: int, horizons: Mapping[str, int]) -> Any:
    """``value`` so many seconds later: ages grow up to the horizon of their field, 0 where nothing asks for it."""

    def leaf(kind: Any, old: Any, field: str) -> Any:
        return min(old + seconds, horizons.get(field, 0)) if kind is Age else old

    return transform(value, leaf)


@lru_cache(maxsize=500_000)
def fingerprint(value: Any) -> int:
    """A number that is the same for equal values in every run: what canonical orders are made of."""
    return _digest(value, ordered=True)


def _digest(value: Any, ordered: bool) -> int:
    digest = blake2b(digest_size=8)
    _feed(value, digest.update, ordered)
    return int.from_bytes(digest.digest(), "big")


def _feed(value: Any, update: Callable[[bytes], None], ordered: bool) -> None:
    if isinstance(value, Record):
        update(b"(" + type(value).__name__.encode())
        for name in value.__record_fields__:
            _feed(getattr(value, name), update, ordered)
        update(b")")
    elif isinstance(value, tuple) and (ordered or len(value) < 2):
        update(b"[")
        for item in value:
            _feed(item, update, ordered)
        update(b"]")
    elif isinstance(value, Map):
        update(b"{")
        for key, item in value.items():
            update(key.encode() + b"=")
            _feed(item, update, ordered)
        update(b"}")
    elif isinstance(value, (tuple, frozenset)):
        update(b"<" + b",".join(sorted(str(_digest(each, ordered)).encode() for each in value)) + b">")
    else:
        update(f"{type(value).__name__}:{value!r};".encode())
