"""Rules: the named pure transition functions that everything which can happen is written in.

A rule is a generator function.  Its parameters name what it reads, and it reads nothing else: no globals, no clock,
no randomness.  It yields one ``Outcome`` for each way it can go, and a ``Wake`` where the passing of time alone would
let it go on.  A ``Process`` is one instance of a component: its rules, and the binding from their parameters to slots
(``kubelet`` -> ``kubelet/n1``), to several slots at once (``objects`` -> a tuple of slots), and to constants.

A rule's docstring is the catalogue that ``kythera actions`` prints: the first paragraph says when it can happen and
what then follows, ``Source:`` who promises that, ``Simplifies:`` what is left out and why no property can tell.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

COMPONENT = "component"
FAULT = "fault"
REPAIR = "repair"
USER = "user"
WORKLOAD = "workload"
CLOCK = "clock"

FAIR = frozenset({COMPONENT, REPAIR})
"""Actors whose enabled actions cannot be put off for ever (weak fairness): the others may do nothing."""

URGENT = frozenset({COMPONENT})
"""Actors whose enabled actions keep prompt time from passing.  A repair comes some day, and perhaps not for long."""


@dataclass(frozen=True, slots=True)
class Action:
    """One firing of a rule: ``kubelet/n1.start(pod=web-0)``.  Parameters are texts, numbers, uids or node names."""

    process: str
    rule: str
    parameters: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        return f"{self.process}.{self.rule}({', '.join(f'{k}={v}' for k, v in self.parameters)})"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way a rule can go.

    ``parameters`` tell it from the others, ``writes`` are new values by parameter name (a tuple of values where the
    parameter stands for several slots).  ``note`` says why, for people.
    """

    parameters: tuple[tuple[str, Any], ...]
    writes: Mapping[str, Any]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Wake:
    """In so many seconds this rule could go on, although nothing else changes."""

    seconds: int


Yields = Iterator[Outcome | Wake]


def outcome(writes: Mapping[str, Any], note: str = "", **parameters: Any) -> Outcome:
    """An outcome from keyword parameters: ``outcome({"kubelet": new}, pod=uid)``."""
    return Outcome(tuple(parameters.items()), writes, note)


@dataclass(frozen=True, slots=True)
class Rule:
    """A transition function with what people and engines need to know about it.

    ``says`` is a sentence with the parameters in braces and ``{process}`` for the actor.  ``reads`` are the names of
    the function's parameters.  ``actor`` is one of the constants above.
    """

    name: str
    says: str
    function: Callable[..., Yields]
    reads: tuple[str, ...]
    actor: str = COMPONENT

    @property
    def doc(self) -> str:
        """The rule's entry in the catalogue."""
        return inspect.getdoc(self.function) or ""


def rule(says: str, actor: str = COMPONENT) -> Callable[[Callable[..., Yields]], Rule]:
    """Make a rule of a generator function; its parameter names become what it reads."""

    def make(function: Callable[..., Yields]) -> Rule:
        return Rule(function.__name__, says, function, tuple(inspect.signature(function).parameters), actor)

    return make


@dataclass(frozen=True, slots=True)
class Process:
    """One instance of a component: its rules, the slots its parameters stand for, and its constants."""

    name: str
    rules: tuple[Rule, ...]
    slots: Mapping[str, str | tuple[str, ...]]
    constants: Mapping[str, Any] = field(default_factory=dict)

    def reads(self, rules: tuple[Rule, ...]) -> tuple[str, ...]:
        """The names of all slots that some of its rules read, each once."""
        wanted = {name for each in rules for name in each.reads}
        found: dict[str, None] = {}
        for parameter, bound in self.slots.items():
            if parameter in wanted:
                for slot in (bound,) if isinstance(bound, str) else bound:
                    found.setdefault(slot)
        return tuple(found)

    def outcomes(self, rules: tuple[Rule, ...], value: Callable[[str], Any]) -> Iterator[tuple[Rule, Outcome | Wake]]:
        """Every way that some of its rules can go; ``value`` gives the value of each slot by name."""
        known = dict(self.constants)
        wanted = {name for each in rules for name in each.reads}
        for parameter, bound in self.slots.items():
            if parameter in wanted:
                known[parameter] = value(bound) if isinstance(bound, str) else tuple(value(slot) for slot in bound)
        for each in rules:
            for result in each.function(**{name: known[name] for name in each.reads}):
                yield each, result

    def written(self, result: Outcome) -> Iterator[tuple[str, Any]]:
        """The slots that an outcome writes, by name, with their new values."""
        for parameter, value in result.writes.items():
            bound = self.slots[parameter]
            if isinstance(bound, str):
                yield bound, value
            else:
                yield from zip(bound, value, strict=True)
