"""From states that were found back to traces: which moves lead to them, rebuilt from the levels and the plain step."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from kythera.model.system import Move
from kythera.properties.engines.core import Core


def states_to(core: Core, state: int) -> list[int]:
    """A shortest way from the first state to ``state``, both included, found by expanding the levels again."""
    return ways_to(core, [state])[state]


def ways_to(core: Core, states: Sequence[int]) -> dict[int, list[int]]:
    """The same to each of some states, where what they have in common is looked for once."""
    before = _compiled_before(core, states) if core.compiled is not None else _before(core, states)
    found = {}
    for state in states:
        way = [state]
        while (step := before.get(way[-1])) is not None:
            way.append(step)
        found[state] = way[::-1]
    return found


def _before(core: Core, states: Sequence[int]) -> dict[int, int]:
    """For each state on the ways to some states, but the first, one that leads to it: level by level, backwards."""
    before: dict[int, int] = {}
    open_ones, wanted = set(states), set[int]()
    for level in reversed(core.levels):
        if wanted:
            left = set(wanted)
            for state in level:
                for _, there in core.tables.successors(state):
                    if there in left:
                        before[there] = state
                        left.remove(there)
                if not left:
                    break
            wanted = {before[state] for state in wanted}
        here = open_ones.intersection(level) if open_ones else open_ones
        wanted |= here
        open_ones -= here
    return before


def _compiled_before(core: Core, states: Sequence[int]) -> dict[int, int]:
    """The same from the compiled engine."""
    before: dict[int, int] = {}
    assert core.compiled is not None
    for state in states:
        while state not in before and (found := core.compiled.before(state)) is not None:
            before[state] = found
            state = found
    return before


def moves_along(core: Core, states: Sequence[int]) -> list[Move]:
    """The moves of the plain step that lead from each state to the next."""
    found = []
    for here, there in pairwise(states):
        row, wanted = core.tables.codec.decode(here), core.tables.codec.decode(there)
        found.append(next(move for move in core.system.moves(row) if move.row == wanted))
    return found
