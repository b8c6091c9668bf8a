"""What units of fairness are called, and who is starved by a run, told by the plain step alone.

A unit is a process with one of its rules and the object that it works on.  What it is called changes with every
renaming of nodes and uids; a pod with a generated name is known by its uid only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any

from kythera.model.host import learn
from kythera.model.normalise import Renaming
from kythera.model.rule import CLOCK, FAIR
from kythera.model.symmetry import Row
from kythera.model.system import Move, System
from kythera.properties.engines.tables import Unit, unit_of


def learns(unit: Unit) -> bool:
    """Whether a unit is owed strong fairness."""
    return unit[1] == learn.name


def is_generated(unit: Unit) -> bool:
    """Whether a unit works on an object with a generated name, which is known by its uid."""
    return "/#" in unit[2]


def renamed(unit: Unit, nodes: Mapping[str, str]) -> Unit:
    """A unit where nodes are called otherwise: in the name of the process, and if it works on a Node or Lease."""
    process, rule, about = unit
    part, slash, node = process.rpartition("/")
    kind, _, _ = about.partition("/")
    if slash:
        process = f"{part}/{nodes.get(node, node)}"
    if kind in ("Node", "Lease"):
        where, _, name = about.rpartition("/")
        about = f"{where}/{nodes.get(name, name)}"
    return process, rule, about


def kind_of(unit: Unit, nobody: Mapping[str, str]) -> Unit:
    """A unit on whichever node, and of whichever object with a generated name."""
    process, rule, about = renamed(unit, nobody)
    return process, rule, f"{about.partition('/#')[0]}/#" if is_generated(unit) else about


def carried(unit: Unit, renaming: Renaming) -> Unit | None:
    """What a unit is called after a renaming; ``None`` if the object that it works on is gone."""
    process, rule, about = renamed(unit, renaming.nodes) if renaming.nodes else unit
    if is_generated(unit):
        where, _, uid = about.rpartition("#")
        new = renaming.uids.get(uid)
        if new is None and int(uid) in renaming.uids.values():  # its number is another's now
            return None
        about = f"{where}#{uid if new is None else new}"
    return process, rule, about


def unit(move: Move) -> Unit:
    """The unit that a move is a step of."""
    return unit_of(move.action.process, move.action.rule, move.action.parameters)


def possible(system: System, row: Row) -> frozenset[Unit]:
    """The fair units that are possible in a row, by the plain step; the clock's is always the same."""
    return frozenset(unit(move) for move in system.moves(row) if move.actor in FAIR or move.actor == CLOCK)


def starved(system: System, entry: Row, cycle: Sequence[Move]) -> frozenset[Unit]:
    """Who starves if a run repeats a cycle for ever, told by the plain step and with no use of the above.

    Of the informers it goes round as often as it takes until each node is called again what it was called first.
    """
    here = possible(system, entry)
    owed = [possible(system, move.row) for move in cycle]
    waiting = {each: each for each in here if not learns(each)}
    for move, there in zip(cycle, owed, strict=True):
        still = ((first, carried(now, move.renaming)) for first, now in waiting.items() if now != unit(move))
        waiting = {first: now for first, now in still if now in there}
    names = {node: node for nodes in (system.symmetry.classes if system.symmetry else ()) for node in nodes}
    sometimes, taken = set(filter(learns, here)), set[Unit]()
    for _ in _rounds(names) if cycle else ():
        for move, there in zip(cycle, owed, strict=True):
            taken.add(renamed(unit(move), {now: node for node, now in names.items()}))
            names.update({node: move.renaming.node(name) for node, name in names.items()})
            first_names = {now: node for node, now in names.items()}
            sometimes.update(renamed(each, first_names) for each in there if learns(each))
    return frozenset(for_ever(waiting) | (sometimes - taken))


def _rounds(names: Mapping[str, str]) -> Iterator[int]:
    """Again and again, until nothing is renamed any more."""
    for number in count():
        if number and all(node == name for node, name in names.items()):
            return
        yield number


def for_ever(waiting: Mapping[Any, Any]) -> set[Any]:
    """Who waits for ever if a round is repeated: ``waiting`` are those who waited all the time, and their new names."""
    left = set(waiting)
    while True:
        fewer = {each for each in left if waiting[each] in left}
        if fewer == left:
            return left
        left = fewer
