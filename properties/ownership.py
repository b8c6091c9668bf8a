"""Who owns what, as the statements about the garbage collector read it off a state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kythera.model.api.meta import OwnerReference
from kythera.model.control_plane.apiserver.resources import place_of
from kythera.model.feed import Objects
from kythera.model.host import Hosted
from kythera.model.scenarios.collection import owners_outside
from kythera.properties.statement import Question

COLLECTOR = "garbage-collector"
ORPHAN = "orphan"

Now = dict[str, Objects]
"""The objects of each kind."""


@dataclass(frozen=True, slots=True)
class Ownership:
    """The kinds that are looked after, and the owners outside of the input, by kind, namespace and name."""

    kinds: tuple[str, ...]
    outside: frozenset[tuple[str, str, str]]

    @property
    def slots(self) -> tuple[str, ...]:
        """The slots of the objects."""
        return tuple(f"objects/{kind}" for kind in self.kinds)

    def now(self, values: Sequence[Any]) -> Now:
        """The values of the slots, by kind."""
        return dict(zip(self.kinds, values, strict=False))

    def objects(self, now: Now) -> Iterator[Any]:
        """All objects."""
        for kind in self.kinds:
            yield from now[kind]

    def is_gone(self, ref: OwnerReference, dependent: Any, now: Now) -> bool:
        """Whether the owner that an object refers to is not where the reference says."""
        place = place_of(ref.kind, dependent.metadata.namespace)
        if ref.kind not in self.kinds or (ref.kind, place, ref.name) in self.outside:
            return False
        return self.owner(ref, dependent, now) is None

    def owner(self, ref: OwnerReference, dependent: Any, now: Now) -> Any:
        """The owner that an object refers to, in its namespace, by name and uid, or ``None``."""
        place = place_of(ref.kind, dependent.metadata.namespace)
        for obj in self.all_of(ref.kind, now):
            meta = obj.metadata
            if (meta.namespace, meta.name, meta.uid) == (place, ref.name, ref.uid):
                return obj
        return None

    def all_of(self, kind: str, now: Now) -> tuple[Any, ...]:
        """The objects of one kind."""
        return now.get(kind, ())


def ownership(question: Question) -> Ownership | None:
    """What the garbage collector of a question looks after; ``None`` if there is none."""
    for process in question.system.processes:
        hosted = process.constants.get("hosted")
        if process.name == COLLECTOR and isinstance(hosted, Hosted):
            kinds = tuple(kind.__name__ for kind in hosted.controller.watches)
            return Ownership(kinds, owners_outside(question.objects))
    return None


def label(obj: Any) -> str:
    """``Pod web-0``, with the namespace where it isn't the default one."""
    meta = obj.metadata
    name = meta.name or f"{meta.generate_name}{meta.uid}"
    return f"{type(obj).__name__} {name if meta.namespace in ('', 'default') else f'{meta.namespace}/{name}'}"
