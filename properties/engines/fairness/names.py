"""What units are called after the steps of a graph: each is followed through the renamings of nodes and uids."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from kythera.model.normalise import IDENTITY, Renaming
from kythera.model.rule import CLOCK
from kythera.properties.engines.core import Core
from kythera.properties.engines.fairness.units import (
    careful,
    carried,
    is_generated,
    kind_of,
    learns,
    looks,
    occupied,
    on_nodes,
    renamed,
    sender,
)
from kythera.properties.engines.graph import CLOCK_UNIT, Graph
from kythera.properties.engines.situations import Unit

Permutation = tuple[int, ...]
"""What becomes of each exchangeable node, by their numbers."""

NOBODY = -2
"""Instead of the number of a unit: there is none that waits."""


class Way(NamedTuple):
    """A step inside a component; ``renaming``: the number of what it renames."""

    action: int
    target: int
    renaming: int


class Names:
    """The units of a graph by their numbers, and what they are called after a step."""

    def __init__(self, core: Core, graph: Graph) -> None:
        self.graph = graph
        symmetry = core.system.symmetry
        self.nodes = [name for nodes in (symmetry.classes if symmetry else ()) for name in nodes]
        self.nobody = dict.fromkeys(self.nodes, "")
        self.same: Permutation = tuple(range(len(self.nodes)))
        self.units: list[Unit] = list(core.tables.actions)
        self.numbers = {unit: number for number, unit in enumerate(self.units)}
        self.follows = symmetry is not None and (bool(self.nodes) or any(map(is_generated, self.units)))
        self.known: list[Renaming] = [IDENTITY]
        self.known_numbers: dict[Renaming, int] = {IDENTITY: 0}
        self.permutations: list[Permutation] = [self.same]
        self.careful = careful(core.system)
        self.careful_kinds = frozenset(on_nodes(process, self.nobody) for process in self.careful)
        self._moved: dict[tuple[int, Permutation], int] = {}
        self._called: dict[tuple[int, int], int] = {}
        self._senders: dict[int, int] = {}
        self._kinds: dict[int, frozenset[Unit]] = {}
        self._busy: dict[int, frozenset[int]] = {}

    # --- what is owed -----------------------------------------------------------------------------------------------

    def learns(self, unit: int) -> bool:
        """Whether a unit is owed strong fairness."""
        return unit != CLOCK_UNIT and learns(self.units[unit])

    def sender(self, unit: int) -> int:
        """Of a key of a controller, the unit that sends its controller's requests; else ``NOBODY``."""
        if unit == CLOCK_UNIT:
            return NOBODY
        found = self._senders.get(unit)
        if found is None:
            name = self.units[unit]
            found = self._senders[unit] = self.number_of(sender(name)) if looks(name) else NOBODY
        return found

    def busy(self, number: int) -> frozenset[int]:
        """Where a set of units is possible, the processes that can look at no key, by the units that send for them."""
        found = self._busy.get(number)
        if found is None:
            names = occupied(
                (self.units[each] for each in self.graph.sets[number] if each != CLOCK_UNIT), self.careful
            )  # fmt: skip
            found = self._busy[number] = frozenset(self.number_of(sender((name, "", ""))) for name in names)
        return found

    def waits(self, unit: int, state: int) -> bool:
        """Whether a unit that has waited so far waits in a state: it is possible, or would be if it were not busy."""
        number = self.graph.owes[state]
        return unit in self.graph.sets[number] or self.sender(unit) in self.busy(number)

    def kinds(self, number: int) -> frozenset[Unit]:
        """The units of a set, whoever they are about."""
        found = self._kinds.get(number)
        if found is None:
            found = self._kinds[number] = frozenset(map(self.kind, self.graph.sets[number]))
        return found

    def kind(self, unit: int) -> Unit:
        """A unit, whoever it is about."""
        return ("", CLOCK, "") if unit == CLOCK_UNIT else kind_of(self.units[unit], self.nobody)

    def always(self, numbers: Iterable[int]) -> frozenset[Unit]:
        """The kinds of units of which some wait wherever one of some sets is possible; informers are left out."""
        kinds = [self.kinds(number) for number in numbers]
        left = {each for each in frozenset[Unit]().union(*kinds) if not learns(each)}
        for found in kinds:
            if not left:
                break
            busy = occupied(found, self.careful_kinds)
            left = {each for each in left if each in found or (looks(each) and each[0] in busy)}
        return frozenset(left)

    # --- what is called how -----------------------------------------------------------------------------------------

    def number(self, renaming: Renaming) -> int:
        """The number of a renaming."""
        found = self.known_numbers.get(renaming)
        if found is None:
            found = self.known_numbers[renaming] = len(self.known)
            self.known.append(renaming)
            self.permutations.append(tuple(self.nodes.index(renaming.node(name)) for name in self.nodes))
        return found

    def called(self, unit: int, way: Way) -> int:
        """What a unit is called after a step; ``NOBODY`` if what it is about is gone."""
        if unit == CLOCK_UNIT or not way.renaming:
            return unit
        found = self._called.get((unit, way.renaming))
        if found is None:
            new = carried(self.units[unit], self.known[way.renaming])
            found = self._called[unit, way.renaming] = NOBODY if new is None else self.number_of(new)
        return found

    def goes_on(self, unit: int, way: Way) -> int:
        """What a unit that waits is called after a step, if it still waits then; else ``NOBODY``."""
        if way.action == unit:
            return NOBODY
        unit = self.called(unit, way)
        return unit if unit != NOBODY and self.waits(unit, way.target) else NOBODY

    def exchanged(self, unit: int, nodes: Permutation) -> int:
        """The number of a unit after an exchange of nodes."""
        if nodes == self.same or unit == CLOCK_UNIT:
            return unit
        found = self._moved.get((unit, nodes))
        if found is None:
            names = {old: self.nodes[new] for old, new in zip(self.nodes, nodes, strict=True)}
            found = self._moved[unit, nodes] = self.number_of(renamed(self.units[unit], names))
        return found

    def orbit(self, unit: int, turns: Iterable[Permutation]) -> set[int]:
        """All units that exchanges take one to."""
        turns, found, queue = list(turns), {unit}, [unit]
        while queue:
            here = queue.pop()
            new = {self.exchanged(here, turn) for turn in turns} - found
            found |= new
            queue.extend(new)
        return found

    def number_of(self, unit: Unit) -> int:
        """The number of a unit, which perhaps was never met under this name."""
        found = self.numbers.setdefault(unit, len(self.units))
        if found == len(self.units):
            self.units.append(unit)
        return found


def after(first: Permutation, then: Permutation) -> Permutation:
    """One exchange, and then another."""
    return tuple([then[each] for each in first])


def inverse(nodes: Permutation) -> Permutation:
    """The exchange that undoes another."""
    found = [0] * len(nodes)
    for old, new in enumerate(nodes):
        found[new] = old
    return tuple(found)
