"""What an exploration found, the same for every engine."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from kythera.model.rule import Action


@dataclass(slots=True)
class Finding:
    """A property that failed: where (a state or a step as the engine names them) and what was wrong."""

    property: str
    message: str
    state: Any
    successor: Any = None
    action: Action | None = None


@dataclass(slots=True)
class Exploration:
    """Counts and findings.

    ``stopped`` is empty when all reachable states were visited, else the bound that stopped it: "time", "states",
    "memory", "interrupted", "finding".  ``applied``: the properties that had a chance to fail.  ``excused``: of whom
    nothing was claimed, by property, with one example.
    """

    states: int = 0
    transitions: int = 0
    depth: int = 0
    seconds: float = 0.0
    rule_calls: int = 0
    stopped: str = ""
    fired: Counter[tuple[str, str]] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    applied: set[str] = field(default_factory=set)
    excused: dict[str, str] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether every reachable state was visited."""
        return not self.stopped
