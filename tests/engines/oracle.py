"""Liveness told from plain steps, with no use of an engine, and written to be obvious: what the engine is held to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import networkx

from kythera.model.rule import CLOCK, FAIR
from kythera.model.symmetry import Row
from kythera.model.system import Move, System
from kythera.properties.engines.situations import unit_of
from kythera.properties.property import Convergence


def unit(move: Move) -> Any:
    """The unit of fairness that a move belongs to."""
    return unit_of(move.action.process, move.action.rule, move.action.parameters)


def waits(each: Any, owed: set[Any]) -> bool:
    """Whether a unit is possible, or keeps its turn since its process sends and can look at no key."""
    return each in owed or (each[1] == "decide" and (each[0], "send", "") in owed)


class PlainGraph:
    """All plain steps of a system in which no nodes are exchanged."""

    def __init__(self, system: System) -> None:
        self.index = system.index
        self.moves: dict[Row, list[Move]] = {}
        todo = [system.initial]
        while todo:
            row = todo.pop()
            if row not in self.moves:
                self.moves[row] = list(system.moves(row))
                todo += [move.row for move in self.moves[row]]

    def owed(self, row: Row) -> set[Any]:
        """The fair units that are possible in a row."""
        return {unit(move) for move in self.moves[row] if move.actor in FAIR or move.actor == CLOCK}

    def fair_sets(self, rows: set[Row]) -> Iterator[set[Row]]:
        """The sets of states, each as large as possible, in which a fair run can go everywhere for ever."""
        graph = networkx.DiGraph((row, move.row) for row in rows for move in self.moves[row] if move.row in rows)
        for found in networkx.strongly_connected_components(graph):
            taken = {unit(move) for row in found for move in self.moves[row] if move.row in found}
            if not taken:
                continue
            owed = {row: self.owed(row) for row in found}
            idle = set[Any]().union(*owed.values()) - taken
            starving = {each for each in idle if each[1] == "learn" or all(waits(each, owed[row]) for row in found)}
            if starving:
                yield from self.fair_sets({row for row in found if owed[row].isdisjoint(starving)})
            else:
                yield found

    def violates(self, prop: Convergence) -> bool:
        """Whether some fair run is again and again outside of the goal, or takes a forbidden step again and again."""

        def values(row: Row) -> tuple[Any, ...]:
            return tuple(row[self.index[name]] for name in prop.slots)

        sets = list(self.fair_sets(set(self.moves)))
        ends = [row for row in self.moves if not self.owed(row)]
        if prop.missing is not None:
            everywhere = [*ends, *(row for rows in sets for row in rows)]
            if any(prop.missing(*values(row)) is not None for row in everywhere):
                return True
        if prop.forbidden is not None:
            steps = ((row, move) for rows in sets for row in rows for move in self.moves[row] if move.row in rows)
            return any(prop.forbidden(values(row), values(move.raw), move.action) is not None for row, move in steps)
        return False
