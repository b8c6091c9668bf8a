"""From a state that was found back to a trace: which moves lead to it, rebuilt from the levels and the plain step."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from kythera.model.system import Move
from kythera.properties.engines.core import Core


def states_to(core: Core, state: int) -> list[int]:
    """A shortest way from the first state to ``state``, both included, found by expanding the levels again."""
    if core.compiled is not None:
        path = [state]
        while (found := core.compiled.before(path[-1])) is not None:
            path.append(found)
        return path[::-1]
    level = next(i for i, found in enumerate(core.levels) if state in set(found))
    path = [state]
    for number in range(level - 1, -1, -1):
        for before in core.levels[number]:
            if any(there == path[-1] for _, there in core.tables.successors(before)):
                path.append(before)
                break
    return path[::-1]


def moves_along(core: Core, states: Sequence[int]) -> list[Move]:
    """The moves of the plain step that lead from each state to the next."""
    found = []
    for here, there in pairwise(states):
        row, wanted = core.tables.codec.decode(here), core.tables.codec.decode(there)
        found.append(next(move for move in core.system.moves(row) if move.row == wanted))
    return found
