"""Fair runs that go round for ever, where equal nodes are exchanged: who would be starved by them.

A unit of fairness is a process with one of its rules (and the named object that it works on).  Under weak fairness a
fair unit that stays possible is taken.  The informers' ``learn`` is owed more, strong fairness: if it is possible again
and again it is taken, since an informer receives its events beside the workers, although it stands still here while
requests are under way.

In a strongly connected component somebody is starved by the run that goes everywhere if he is always possible and
never taken; then by every run that stays there.  An informer is starved already if it is possible somewhere and never
taken; then a run has to keep away from these states, and what is left of the component is looked at again.  What
remains in the end are the ``Region``s: the run that goes everywhere in one is fair.

States are known by their canonical forms only, and a step into the canonical form may exchange equal nodes: what is
called ``kubelet/n1`` before it is another kubelet than ``kubelet/n1`` after it.  So every unit is followed through
the exchanges.  Call each unit by its name in one state of a component, the root, and give each state the exchange that
leads to it along a spanning tree (its frame).  The other steps then lead back to the root by exchanges that generate a
group: a run may come back with any of them carried out, so what holds of a unit has to be asked of all units that the
group takes it to.  (This is what the components of the graph without symmetry would say: their states are the pairs
of a state and an exchange.)
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import NamedTuple

from kythera.model.host import learn
from kythera.model.rule import CLOCK, FAIR
from kythera.model.symmetry import Row
from kythera.model.system import Move, System
from kythera.properties.engines.core import Core
from kythera.properties.engines.graph import CLOCK_UNIT, Graph, components, inside, renaming_steps, strong_components
from kythera.properties.engines.tables import Unit, unit_of

Permutation = tuple[int, ...]
"""What becomes of each exchangeable node, by their numbers."""

Units = frozenset[int]

SEARCHED = 50_000
"""How many situations are searched for the shortest fair cycle before a longer one is good enough."""


class Way(NamedTuple):
    """A step inside a component; ``exchange`` is what it does to nodes."""

    action: int
    target: int
    exchange: Permutation


@dataclass(eq=False, slots=True)
class Region:
    """States in all of which a fair run can be again and again, and the steps between them by their source."""

    members: list[int]
    ways: dict[int, list[Way]] = field(default_factory=dict)


class Place(NamedTuple):
    """Where a run has got to, with units and nodes called as at its entry.

    ``nodes``: what they are called by now.  ``starved``: the units that were possible all the time and not taken.
    ``given``: the informers that have learnt, and ``promised``: those that could have and have not.
    """

    state: int
    nodes: Permutation
    starved: Units
    given: Units
    promised: Units


class Fairness:
    """The fair runs of a graph."""

    def __init__(self, core: Core, graph: Graph) -> None:
        self.core = core
        self.graph = graph
        symmetry = core.system.symmetry
        self.names = [name for nodes in (symmetry.classes if symmetry else ()) for name in nodes]
        self.same: Permutation = tuple(range(len(self.names)))
        self.known: dict[int, Permutation] = {0: self.same}
        self.units: list[Unit] = list(core.tables.actions)
        self.numbers = {unit: number for number, unit in enumerate(self.units)}
        self.moved: dict[tuple[int, Permutation], int] = {}
        self.kinds: dict[int, frozenset[Unit]] = {}
        self.label: Sequence[int] = components(graph)
        self.steps = inside(graph, self.label)
        self.members: dict[int, list[int]] = {component: [] for component in self.steps}
        for state, component in enumerate(self.label):
            if component in self.members:
                self.members[component].append(state)
        self.judged: set[int] = set()
        self.regions: dict[int, Region] = {}

    def region(self, state: int) -> Region | None:
        """The states in which a fair run can be again and again, together with this one; ``None`` if it cannot."""
        component = self.label[state]
        if component in self.members and component not in self.judged:
            self.judged.add(component)
            for region in self._regions(self.members[component]):
                self.regions.update(dict.fromkeys(region.members, region))
        return self.regions.get(state)

    def _regions(self, component: list[int]) -> Iterator[Region]:
        todo = [Region(component)]
        while todo:
            region = todo.pop()
            always, owed = self.nameless(region.members[0]), frozenset[Unit]()
            for number in {self.graph.owes[state] for state in region.members}:
                always &= self._nameless(number)
                owed |= self._nameless(number)
            if not always and not any(map(learns, owed)):
                yield region
                continue
            left = self._left(region)
            if len(left) == len(region.members):
                yield region
            elif left:
                todo.extend(self._parts(region, left))

    def _left(self, region: Region) -> list[int]:
        """The states of a component that a fair run in it may visit again and again, as far as the units tell."""
        ways, root = self.inside(region), region.members[0]
        frames = {root: self.same}
        queue = deque([root])
        always, turns, taken = self.graph.owed(root), {self.same}, set[int]()
        informers: dict[int, list[int]] = {}
        while queue:
            state = queue.popleft()
            back = inverse(frames[state])
            here = frozenset([self.unit(each, back) for each in self.graph.owed(state)])
            always &= here
            for unit in here:
                if self.learns(unit):
                    informers.setdefault(unit, []).append(state)
            for way in ways.get(state, ()):
                nodes = after(frames[state], way.exchange)
                if way.target not in frames:
                    frames[way.target] = nodes
                    queue.append(way.target)
                turns.add(after(nodes, inverse(frames[way.target])))
                taken.add(self.unit(way.action, back))
        avoided: set[int] = set()
        for unit, states in informers.items():
            if taken.isdisjoint(self.orbit(unit, turns)):
                avoided.update(states)
        if avoided:
            return [state for state in region.members if state not in avoided]
        return [] if self.closed(always - taken, turns) else region.members

    def _parts(self, region: Region, left: list[int]) -> Iterator[Region]:
        """The strong components of what is left of a region, with the steps inside them."""
        number = {state: i for i, state in enumerate(left)}
        first, target = array("i", [0]), array("i")
        for state in left:
            target.extend(number[way.target] for way in region.ways.get(state, ()) if way.target in number)
            first.append(len(target))
        label = strong_components(first, target)
        parts: dict[int, Region] = {}
        for state in left:
            mine = label[number[state]]
            part = parts.setdefault(mine, Region([]))
            part.members.append(state)
            kept = [w for w in region.ways.get(state, ()) if w.target in number and label[number[w.target]] == mine]
            if kept:
                part.ways[state] = kept
        return (part for part in parts.values() if part.ways)

    def nameless(self, state: int) -> frozenset[Unit]:
        """The fair units that are possible in a state, on whichever node."""
        return self._nameless(self.graph.owes[state])

    def _nameless(self, number: int) -> frozenset[Unit]:
        found = self.kinds.get(number)
        if found is None:
            nobody = dict.fromkeys(self.names, "")
            found = self.kinds[number] = frozenset(
                ("", CLOCK, "") if each == CLOCK_UNIT else renamed(self.units[each], nobody)
                for each in self.graph.sets[number]
            )
        return found

    def inside(self, region: Region) -> dict[int, list[Way]]:
        """The steps inside a region, by the state that they lead out of."""
        found, graph = region.ways, self.graph
        if found:
            return found
        if not self.names:
            for i in self.steps[self.label[region.members[0]]]:
                way = Way(graph.action[i], graph.target[i], self.same)
                found.setdefault(graph.source[i], []).append(way)
            return found
        number = {graph.states[i]: i for i in region.members}
        for state, i in number.items():
            for action, successor, exchange in renaming_steps(self.core, state):
                if successor in number:
                    found.setdefault(i, []).append(Way(action, number[successor], self.permutation(exchange)))
        return found

    def permutation(self, exchange: int) -> Permutation:
        """An exchange of ``Canonical`` as a permutation."""
        found = self.known.get(exchange)
        if found is None:
            canonical = self.core.tables.canonical
            assert canonical is not None
            renaming = canonical.exchanges[exchange]
            found = self.known[exchange] = tuple(self.names.index(renaming.node(name)) for name in self.names)
        return found

    def unit(self, action: int, nodes: Permutation) -> int:
        """The number of a unit after an exchange of nodes."""
        if nodes == self.same or action == CLOCK_UNIT:
            return action
        found = self.moved.get((action, nodes))
        if found is None:
            names = {old: self.names[new] for old, new in zip(self.names, nodes, strict=True)}
            unit = renamed(self.units[action], names)
            found = self.numbers.setdefault(unit, len(self.units))
            if found == len(self.units):
                self.units.append(unit)
            self.moved[action, nodes] = found
        return found

    def learns(self, unit: int) -> bool:
        """Whether a unit is owed strong fairness."""
        return unit != CLOCK_UNIT and learns(self.units[unit])

    def closed(self, units: Units, turns: Iterable[Permutation]) -> Units:
        """Those of some units that exchanges only take to other ones of them, however often they are repeated."""
        turns = [turn for turn in turns if turn != self.same]
        while True:
            left = frozenset([each for each in units if all(self.unit(each, turn) in units for turn in turns)])
            if left == units:
                return left
            units = left

    def orbit(self, unit: int, turns: Iterable[Permutation]) -> set[int]:
        """All units that exchanges take one to."""
        turns, found, queue = list(turns), {unit}, [unit]
        while queue:
            here = queue.pop()
            new = {self.unit(here, turn) for turn in turns} - found
            found |= new
            queue.extend(new)
        return found

    def start(self, entry: int) -> Place:
        """The beginning of a way round."""
        owed = self.graph.owed(entry)
        return Place(entry, self.same, owed, frozenset(), frozenset(filter(self.learns, owed)))

    def take(self, place: Place, way: Way) -> Place:
        """Where a step leads."""
        unit, nodes = self.unit(way.action, inverse(place.nodes)), after(place.nodes, way.exchange)
        back = inverse(nodes)
        owed = frozenset([self.unit(each, back) for each in self.graph.owed(way.target)])
        given = place.given | {unit} if self.learns(unit) else place.given
        promised = (place.promised | frozenset(filter(self.learns, owed))) - given
        return Place(way.target, nodes, (place.starved - {unit}) & owed, given, promised)

    def round(self, entry: int, place: Place) -> bool:
        """Whether a run is back at its entry, and is fair if it goes on like this for ever."""
        turn = [place.nodes]
        return (
            place.state == entry
            and not self.closed(place.starved, turn)
            and not any(place.given.isdisjoint(self.orbit(each, turn)) for each in place.promised)
        )

    def cycle(self, region: Region, entry: int, first: Way | None = None) -> list[Way]:
        """A short way round that is fair if it is repeated, beginning and ending in ``entry``, with ``first`` first."""
        ways, done = self.inside(region), partial(self.round, entry)
        place = self.start(entry) if first is None else self.take(self.start(entry), first)
        path = [] if first is None else [first]
        if path and done(place):
            return path
        shortest = self._search(ways, place, done, SEARCHED)
        if shortest is not None:
            return [*path, *shortest[0]]
        while not done(place) or not path:  # one after the other gets what it is owed, then it goes back
            open_ones = bool(place.starved or place.promised)
            found = self._search(ways, place, partial(_gains, place) if open_ones else lambda at: at.state == entry)
            assert found is not None, "a fair run can go everywhere in its region"
            path, place = [*path, *found[0]], found[1]
        return path

    def _search(
        self, ways: dict[int, list[Way]], start: Place, done: Callable[[Place], bool], most: float = float("inf")
    ) -> tuple[list[Way], Place] | None:
        """A shortest way, of at least one step, from a place to one that will do."""
        before: dict[Place, tuple[Place, Way]] = {}
        queue = deque([start])
        while queue and len(before) < most:
            here = queue.popleft()
            for way in ways.get(here.state, ()):
                there = self.take(here, way)
                if done(there):
                    path = [way]
                    while here != start:
                        here, step = before[here]
                        path.append(step)
                    return path[::-1], there
                if there not in before and there != start:
                    before[there] = (here, way)
                    queue.append(there)
        return None


def _gains(place: Place, other: Place) -> bool:
    """Whether somebody has got what he was owed on the way from one place to the other."""
    return other.starved < place.starved or not place.promised.isdisjoint(other.given)


def after(first: Permutation, then: Permutation) -> Permutation:
    """One exchange, and then another."""
    return tuple([then[each] for each in first])


def inverse(nodes: Permutation) -> Permutation:
    """The exchange that undoes another."""
    found = [0] * len(nodes)
    for old, new in enumerate(nodes):
        found[new] = old
    return tuple(found)


def learns(unit: Unit) -> bool:
    """Whether a unit is owed strong fairness."""
    return unit[1] == learn.name


def renamed(unit: Unit, nodes: Mapping[str, str]) -> Unit:
    """A unit where nodes are called otherwise: in the name of the process, and if it works on a Node or Lease."""
    process, rule, about = unit
    part, slash, node = process.rpartition("/")
    kind, _, name = about.partition("/")
    if slash:
        process = f"{part}/{nodes.get(node, node)}"
    if kind in ("Node", "Lease"):
        about = f"{kind}/{nodes.get(name, name)}"
    return process, rule, about


def unit(move: Move) -> Unit:
    """The unit that a move is a step of."""
    return unit_of(move.action.process, move.action.rule, move.action.parameters)


def possible(system: System, row: Row) -> frozenset[Unit]:
    """The fair units that are possible in a row, by the plain step; the clock's is always the same."""
    return frozenset(unit(move) for move in system.moves(row) if move.actor in FAIR or move.actor == CLOCK)


def starved(system: System, entry: Row, cycle: Sequence[Move]) -> frozenset[Unit]:
    """Who starves if a run repeats a cycle for ever, told by the plain step and with no use of the above.

    It goes round as often as it takes until each node is called again what it was called first.
    """
    names = {node: node for nodes in (system.symmetry.classes if system.symmetry else ()) for node in nodes}
    here = possible(system, entry)
    always, sometimes, taken = set(here), set(here), set[Unit]()
    owed = [possible(system, move.row) for move in cycle]
    for _ in _rounds(names) if cycle else ():
        for move, there in zip(cycle, owed, strict=True):
            taken.add(renamed(unit(move), {now: node for node, now in names.items()}))
            names.update({node: move.renaming.node(name) for node, name in names.items()})
            first = {now: node for node, now in names.items()}
            here = frozenset(renamed(each, first) for each in there)
            always &= here
            sometimes |= here
    return frozenset((always | set(filter(learns, sometimes))) - taken)


def _rounds(names: Mapping[str, str]) -> Iterator[int]:
    """Again and again, until nothing is renamed any more."""
    for number in count():
        if number and all(node == name for node, name in names.items()):
            return
        yield number
