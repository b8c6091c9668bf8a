"""Normalising: one canonical form for all states that differ only in names that nobody chose.

Absolute numbers never repeat, and then no loop ever closes.  So after each step

* uids are renumbered: objects first, in the order of their kinds, named ones by namespace and name, generated ones by
  what they are (``fingerprint``), then those that only a memory still holds, by first appearance;
* nodes that the scenario cannot tell apart are put in the order of what is on them (symmetry);
* ages stop growing where nothing asks about them any more (``horizons``).

Each is a renaming of values, driven by the annotations ``Uid``, ``NodeName`` and ``Age`` of their records.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from typing import Any

from kythera.model.record import Age, Map, NodeName, Record, Uid, replace

HOSTNAME = "kubernetes.io/hostname"


@dataclass(frozen=True, slots=True)
class Renaming:
    """Which uid and which node become which; what isn't mentioned keeps its name."""

    uids: tuple[tuple[int, int], ...] = ()
    nodes: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.uids or self.nodes)


IDENTITY = Renaming()


@cache
def _special(cls: type[Record]) -> tuple[tuple[str, Any], ...]:
    """The fields of a record class that can hold a uid, node name or age, each with what it holds."""
    hints = typing.get_type_hints(cls)
    found = []
    for name in cls.__record_fields__:
        holds = _holds(hints[name])
        if holds:
            found.append((name, holds))
    return tuple(found)


@cache
def _holds(hint: Any) -> Any:
    """``Uid``, ``NodeName`` or ``Age`` for such a field, "nested" where one can be deeper inside, else ``None``."""
    if hint in (Uid, NodeName, Age):
        return hint
    if isinstance(hint, type) and issubclass(hint, Record):
        return "nested"  # a record's own fields are looked at when a value is at hand
    if hint is Any:
        return "nested"
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        kinds = {k for a in arguments if a is not type(None) and (k := _holds(a))}
        return next(iter(kinds)) if len(kinds) == 1 else "nested" if kinds else None
    if origin in (tuple, frozenset):
        kinds = {k for a in arguments if a is not Ellipsis and (k := _holds(a))}
        if not kinds:
            return None
        if len(kinds) == 1 and len([a for a in arguments if a is not Ellipsis]) == 1:
            return ("each", next(iter(kinds)))
        return ("items", tuple(_holds(a) for a in arguments))
    if origin is Map:
        inner = _holds(arguments[0])
        return ("values", inner) if inner else None
    return None


Leaf = Callable[[Any, Any, str], Any]


def _walk(value: Any, holds: Any, leaf: Leaf, field: str) -> Any:
    """``value`` with ``leaf(kind, value, "Class.field")`` put in place of every uid, node name and age."""
    if value is None:
        return None
    if holds is Uid or holds is NodeName or holds is Age:
        return leaf(holds, value, field)
    if isinstance(value, Record):
        return transform(value, leaf)
    if isinstance(value, tuple):
        if isinstance(holds, tuple):
            what = holds[1]
            inner = what if holds[0] == "items" and what[-1:] != (None,) else None
            if holds[0] == "items" and isinstance(what, tuple) and len(what) == len(value):
                inner = what
            new = (
                tuple(_walk(v, h, leaf, field) for v, h in zip(value, inner, strict=True))
                if inner is not None
                else tuple(_walk(v, what if holds[0] == "each" else what[0], leaf, field) for v in value)
            )
        else:
            new = tuple(_walk(v, holds, leaf, field) for v in value)
        return value if all(a is b for a, b in zip(value, new, strict=True)) else new
    if isinstance(value, frozenset):
        what = holds[1] if isinstance(holds, tuple) else holds
        return frozenset(_walk(v, what, leaf, field) for v in value)
    if isinstance(value, Map):
        what = holds[1] if isinstance(holds, tuple) else holds
        made = {k: _walk(v, what, leaf, field) for k, v in value.items()}
        return value if all(made[k] is value[k] for k in made) else Map(made)
    return value


def transform(value: Any, leaf: Leaf) -> Any:
    """A slot's value with each uid, node name and age replaced by ``leaf(annotation, value, "Class.field")``."""
    if not isinstance(value, Record):
        return _walk(value, "nested", leaf, "")
    changes = {}
    for name, holds in _special(type(value)):
        old = getattr(value, name)
        if old is None or old == ():
            continue
        new = _walk(old, holds, leaf, f"{type(value).__name__}.{name}")
        if new is not old:
            changes[name] = new
    return replace(value, **changes) if changes else value


def rename(value: Any, renaming: Renaming) -> Any:
    """``value`` under a renaming.  A node's own name and hostname label follow it."""
    uids, nodes = dict(renaming.uids), dict(renaming.nodes)

    def leaf(kind: Any, old: Any, _: str) -> Any:
        if kind is Uid:
            return uids.get(old, old)
        return nodes.get(old, old) if kind is NodeName else old

    return _rename_nodes(transform(value, leaf), nodes) if nodes else transform(value, leaf)


def _rename_nodes(value: Any, nodes: Mapping[str, str]) -> Any:
    """Node objects and Leases carry their node's name as their own."""
    if isinstance(value, tuple):
        return tuple(_rename_nodes(v, nodes) for v in value)
    if type(value).__name__ in ("Node", "Lease", "Ref") and isinstance(value, Record):
        any_value: Any = value
        if type(value).__name__ == "Ref":
            if any_value.kind in ("Node", "Lease") and any_value.name in nodes:
                return replace(any_value, name=nodes[any_value.name])
            return value
        meta = any_value.metadata
        if meta.name in nodes:
            labels = meta.labels
            if labels.get(HOSTNAME) == meta.name:
                labels = labels.set(HOSTNAME, nodes[meta.name])
            return replace(any_value, metadata=replace(meta, name=nodes[meta.name], labels=labels))
    return value


def uids_in(value: Any) -> tuple[int, ...]:
    """The uids that a value holds, in order of first appearance."""
    found: dict[int, None] = {}

    def leaf(kind: Any, old: Any, _: str) -> Any:
        if kind is Uid:
            found.setdefault(old)
        return old

    transform(value, leaf)
    return tuple(found)


def nodes_in(value: Any) -> frozenset[str]:
    """The node names that a value holds."""
    found: set[str] = set()

    def leaf(kind: Any, old: Any, _: str) -> Any:
        if kind is NodeName:
            found.add(old)
        return old

    transform(value, leaf)
    return frozenset(found)


def anonymous(value: Any, node: str | None = None) -> Any:
    """``value`` without its uids, and with ``node`` (any node, if not given) as nobody in particular."""

    def leaf(kind: Any, old: Any, _: str) -> Any:
        if kind is Uid:
            return -1
        return "*" if kind is NodeName and (node is None or old == node) else old

    return transform(value, leaf)


def older(value: Any, seconds: int, horizons: Mapping[str, int]) -> Any:
    """``value`` after so many seconds: ages grow up to the horizon of their field (0 where nothing asks for it)."""

    def leaf(kind: Any, old: Any, field: str) -> Any:
        return min(old + seconds, max(old, horizons.get(field, 0)) if old > 0 else horizons.get(field, 0)) if kind is Age else old

    return transform(value, leaf)


def fingerprint(value: Any) -> int:
    """A number that is the same for equal values in every run: what canonical orders are made of."""
    digest = blake2b(digest_size=8)
    _feed(value, digest.update)
    return int.from_bytes(digest.digest(), "big")


def _feed(value: Any, update: Callable[[bytes], None]) -> None:
    if isinstance(value, Record):
        update(b"(" + type(value).__name__.encode())
        for name in value.__record_fields__:
            _feed(getattr(value, name), update)
        update(b")")
    elif isinstance(value, tuple):
        update(b"[")
        for item in value:
            _feed(item, update)
        update(b"]")
    elif isinstance(value, Map):
        update(b"{")
        for key, item in value.items():
            update(key.encode() + b"=")
            _feed(item, update)
        update(b"}")
    elif isinstance(value, frozenset):
        update(b"<" + b",".join(sorted(str(fingerprint(v)).encode() for v in value)) + b">")
    else:
        update(f"{type(value).__name__}:{value!r};".encode())


