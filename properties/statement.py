"""Statements: the properties of the catalogue before they are bound to the slots of a system."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from kythera.model.record import Record
from kythera.model.scenarios.scenario import Rung, Scenario
from kythera.model.system import System
from kythera.properties.property import AnyProperty

R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Question:
    """What a statement is bound to: a system, and the objects, scenario and rung that it was compiled from."""

    system: System
    objects: tuple[Record, ...]
    scenario: Scenario
    rung: Rung

    def has(self, slot: str) -> bool:
        """Whether the system has a slot."""
        return slot in self.system.index

    def of(self, kind: type[R]) -> tuple[R, ...]:
        """The objects of a kind that the scenario begins with."""
        return tuple(obj for obj in self.objects if isinstance(obj, kind))

    @property
    def nodes(self) -> tuple[str, ...]:
        """The names of the nodes."""
        found: Sequence[str] = self.system.description["nodes"]
        return tuple(found)

    def runs(self, process: str) -> bool:
        """Whether a process of that name is part of the system."""
        return any(each.name == process for each in self.system.processes)


@dataclass(frozen=True, slots=True)
class Statement:
    """A property of the catalogue.

    ``bind`` gives the property (several parts under one name, where each looks at slots of its own) for a question,
    or nothing where it cannot fail because nothing that it speaks of is there.
    """

    name: str
    kind: str
    says: str
    source: str
    regime: str
    breaks: str
    bind: Callable[[Statement, Question], Sequence[AnyProperty]]

    def words(self) -> dict[str, Any]:
        """The fields that a property takes over from its statement."""
        return {
            "name": self.name, "says": self.says, "source": self.source, "breaks": self.breaks, "regime": self.regime,
        }  # fmt: skip


def among(objects: Iterable[Record], kind: type[R]) -> list[R]:
    """The objects of a slot, as what they are."""
    return [obj for obj in objects if isinstance(obj, kind)]
