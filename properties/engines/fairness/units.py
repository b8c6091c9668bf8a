"""What units of fairness are called, what they are owed, and who is starved by a run, told by the plain step alone.

A unit is a process with one of its rules and the object that it works on.  What it is called changes with every
renaming of nodes and uids; a pod with a generated name is known by its uid only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import count

from kythera.model.host import Hosted, decide, learn, send
from kythera.model.normalise import Renaming
from kythera.model.rule import CLOCK, FAIR
from kythera.model.symmetry import Row
from kythera.model.system import Move, System
from kythera.properties.engines.situations import Unit, unit_of


def learns(unit: Unit) -> bool:
    """Whether a unit is owed strong fairness: an informer."""
    return unit[1] == learn.name


def looks(unit: Unit) -> bool:
    """Whether a unit keeps its turn while its process can look at nothing: a key of a controller."""
    return unit[1] == decide.name


def sender(unit: Unit) -> Unit:
    """The unit that sends the requests of a process."""
    return unit[0], send.name, ""


def careful(system: System) -> frozenset[str]:
    """The processes that look at a key only when there are no events to come."""
    hosts = ((process.name, process.constants.get("hosted")) for process in system.processes)
    return frozenset(name for name, host in hosts if isinstance(host, Hosted) and host.fresh)


def occupied(possible: Iterable[Unit], careful: Collection[str]) -> frozenset[str]:
    """The processes that can look at no key, whatever there is to do, where some units are possible.

    Requests are under way that can be sent, or there are events to come first.  (While the link of a process is cut
    requests may be waiting too; but a link is cut and heals only so often, so on a cycle it does neither.)
    """
    return frozenset(
        each[0] for each in possible if each == sender(each) or (learns(each) and each[0] in careful)
    )  # fmt: skip


def is_generated(unit: Unit) -> bool:
    """Whether a unit works on an object with a generated name, which is known by its uid."""
    return "/#" in unit[2]


def on_nodes(process: str, nodes: Mapping[str, str]) -> str:
    """The name of a process where nodes are called otherwise."""
    part, slash, node = process.rpartition("/")
    return f"{part}/{nodes.get(node, node)}" if slash else process


def renamed(unit: Unit, nodes: Mapping[str, str]) -> Unit:
    """A unit where nodes are called otherwise: in the name of the process, and if it works on a Node or Lease."""
    process, rule, about = unit
    kind, _, _ = about.partition("/")
    if kind in ("Node", "Lease"):
        where, _, name = about.rpartition("/")
        about = f"{where}/{nodes.get(name, name)}"
    return on_nodes(process, nodes), rule, about


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
    """Who starves if a run repeats a cycle for ever, told by the plain step and with no use of regions and their ways.

    Of the informers it goes round as often as it takes until each node is called again what it was called first.
    """
    here = possible(system, entry)
    owed = [possible(system, move.row) for move in cycle]
    names = {node: node for nodes in (system.symmetry.classes if system.symmetry else ()) for node in nodes}
    sometimes, taken = set(filter(learns, here)), set[Unit]()
    for _ in _rounds(names) if cycle else ():
        for move, there in zip(cycle, owed, strict=True):
            taken.add(renamed(unit(move), {now: node for node, now in names.items()}))
            names.update({node: move.renaming.node(name) for node, name in names.items()})
            first_names = {now: node for node, now in names.items()}
            sometimes.update(renamed(each, first_names) for each in there if learns(each))
    return frozenset(_waiting(here, cycle, owed, careful(system)) | (sometimes - taken))


def _waiting(
    here: frozenset[Unit], cycle: Sequence[Move], owed: Sequence[frozenset[Unit]], careful: Collection[str]
) -> frozenset[Unit]:
    """Who waits for ever: of those who begin to wait in the first round, those who are left when it makes no change.

    That is when those who wait at the end of a round did so at the end of an earlier one.
    """
    if not cycle:
        return frozenset(each for each in here if not learns(each))

    def left(waiting: frozenset[Unit], first: bool = False) -> frozenset[Unit]:
        for before, move, there in zip((here, *owed), cycle, owed, strict=False):
            if first:
                waiting |= {each for each in before if not learns(each)}
            busy = occupied(there, careful)
            new = (carried(each, move.renaming) for each in waiting if each != unit(move))
            waiting = frozenset(
                each for each in new if each is not None and (each in there or (looks(each) and each[0] in busy))
            )  # fmt: skip
        return waiting

    waiting, met = left(frozenset(), first=True), list[frozenset[Unit]]()
    while waiting not in met:
        met.append(waiting)
        waiting = left(waiting)
    return waiting


def _rounds(names: Mapping[str, str]) -> Iterator[int]:
    """Again and again, until nothing is renamed any more."""
    for number in count():
        if number and all(node == name for node, name in names.items()):
            return
        yield number
