"""The one way to write a value of the model: a frozen, slotted, hashable record.

Slot values are records all the way down.  A field's *annotation* says what kind of thing it is, and three kinds
mean something to the normaliser (``kythera.model.normalise``):

* ``Uid``       an object's identity; renamed to the smallest free number after each step
* ``NodeName``  a reference to a node; renamed when equal nodes are put in canonical order
* ``Age``       whole seconds since an instant (negative: until an instant); grows as the clock advances

Everything else is compared, hashed and stored as it is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any, Generic, NewType, TypeVar, cast, dataclass_transform

Uid = NewType("Uid", int)
NodeName = NewType("NodeName", str)
Age = NewType("Age", int)

T = TypeVar("T")
V_co = TypeVar("V_co", covariant=True)


def _cached_hash(self: Any) -> int:
    try:
        return cast(int, self._hash)
    except AttributeError:
        value = hash((type(self).__name__, *(getattr(self, name) for name in self.__record_fields__)))
        object.__setattr__(self, "_hash", value)
        return value


class Record:
    """Base of all records: remembers its hash, since a record is hashed far more often than it is made."""

    __slots__ = ("_hash",)
    __record_fields__: tuple[str, ...] = ()


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
def record(cls: type[T]) -> type[T]:
    """Turn a class that derives from ``Record`` into a frozen, slotted dataclass with a cached hash."""
    made = dataclasses.dataclass(frozen=True, slots=True)(cls)
    made.__record_fields__ = tuple(f.name for f in dataclasses.fields(made))  # type: ignore[attr-defined, arg-type]
    made.__hash__ = _cached_hash  # type: ignore[method-assign]
    return made


if TYPE_CHECKING:
    replace = dataclasses.replace
else:

    def replace(obj, /, **changes):
        """The record with some fields changed, as ``dataclasses.replace`` makes it, in a third of the time."""
        if not isinstance(obj, Record):
            return dataclasses.replace(obj, **changes)
        names = obj.__record_fields__
        values = [changes.pop(name) if name in changes else getattr(obj, name) for name in names]
        if changes:
            raise TypeError(f"{type(obj).__name__} has no field {next(iter(changes))}")
        return type(obj)(*values)


class Map(Mapping[str, V_co], Generic[V_co]):
    """An immutable mapping with string keys, hashable, its items always in the order of the keys."""

    __slots__ = ("_dict", "_hash")
    _dict: dict[str, V_co]
    _hash: int

    def __init__(self, items: Mapping[str, V_co] | None = None) -> None:
        source = items or {}
        object.__setattr__(self, "_dict", {key: source[key] for key in sorted(source)})
        object.__setattr__(self, "_hash", hash(tuple(self._dict.items())))

    def __setattr__(self, name: str, value: object) -> None:
        raise dataclasses.FrozenInstanceError(f"a Map cannot be changed: {name}")

    def __getitem__(self, key: str) -> V_co:
        return self._dict[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._dict)

    def __len__(self) -> int:
        return len(self._dict)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if isinstance(other, Map):
            return self._hash == other._hash and self._dict == other._dict
        return NotImplemented

    def __repr__(self) -> str:
        return f"Map({self._dict!r})"

    def __reduce__(self) -> tuple[type[Map[V_co]], tuple[dict[str, V_co]]]:
        return Map, (self._dict,)

    def set(self, key: str, value: Any) -> Map[V_co]:
        """The same mapping with one key set."""
        return Map({**self._dict, key: value})

    def without(self, key: str) -> Map[V_co]:
        """The same mapping without one key (which need not be there)."""
        return Map({k: v for k, v in self._dict.items() if k != key}) if key in self._dict else self


def within(value: object) -> Iterator[object]:
    """A value and everything that is in it: of records, maps (keys too), and collections, also plain ones."""
    yield value
    inside: Iterable[object] = ()
    if isinstance(value, Record):
        inside = (getattr(value, name) for name in value.__record_fields__)
    elif isinstance(value, Mapping):
        inside = chain(value.keys(), value.values())
    elif isinstance(value, (tuple, list, frozenset)):
        inside = value
    for each in inside:
        yield from within(each)


EMPTY: Map[Any] = Map()
