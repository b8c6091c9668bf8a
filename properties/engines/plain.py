"""The plain engine: whole states in a set, no memory of anything else.  The oracle that the others are held to.

It calls ``System.moves`` for every state, which is what a step *is*; slow on purpose.
"""

from __future__ import annotations

from collections.abc import Sequence

from kythera.model.symmetry import Row
from kythera.model.system import System
from kythera.properties.engines.result import Exploration, Finding
from kythera.properties.property import AnyProperty, Invariant, StepInvariant


def explore(
    system: System, properties: Sequence[AnyProperty] = (), max_states: int = 1_000_000
) -> tuple[Exploration, dict[Row, int]]:
    """All reachable states, breadth first, each with its depth."""
    result = Exploration()
    seen: dict[Row, int] = {system.initial: 0}
    frontier = [system.initial]
    failed: set[str] = set()

    def values(row: Row, slots: Sequence[str]) -> tuple[object, ...]:
        return tuple(row[system.index[name]] for name in slots)

    def judge(row: Row) -> None:
        for prop in properties:
            if isinstance(prop, Invariant) and prop.name not in failed:
                message = prop.broken(*values(row, prop.slots))
                if message is not None:
                    failed.add(prop.name)
                    result.findings.append(Finding(prop.name, message, row))

    judge(system.initial)
    while frontier:
        following: list[Row] = []
        for row in frontier:
            for move in system.moves(row):
                result.transitions += 1
                result.fired[move.action.process, move.action.rule] += 1
                for prop in properties:
                    if isinstance(prop, StepInvariant) and prop.name not in failed:
                        # before normalising, so that both sides of the step speak of the same objects
                        before, after = values(row, prop.slots), values(move.raw, prop.slots)
                        message = prop.broken(before, after, move.action)
                        if message is not None:
                            failed.add(prop.name)
                            result.findings.append(Finding(prop.name, message, row, move.row, move.action))
                if move.row not in seen:
                    if len(seen) >= max_states:
                        result.stopped = "states"
                        result.states = len(seen)
                        return result, seen
                    seen[move.row] = result.depth + 1
                    judge(move.row)
                    following.append(move.row)
        frontier = following
        result.depth += bool(following)
    result.states = len(seen)
    return result, seen
