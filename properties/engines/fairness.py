"""Fair runs that go round for ever, where equal things are renamed: who would be starved by them.

A unit of fairness is a process with one of its rules and the object that it works on.  Under weak fairness a fair unit
that stays possible is taken.  The informers' ``learn`` is owed more, strong fairness: if it is possible again and again
it is taken, since an informer receives its events beside the workers, although it stands still here while requests are
under way.

States are known by their canonical forms only, and a step into the canonical form may exchange equal nodes and give
pods with generated names other uids: what is called ``kubelet/n1`` or pod 7 before it is another one than what is
called so after it.  So every unit is followed through the renamings of the steps.  A pod that is gone is owed nothing
more, and a number that is given again belongs to another pod.

In a strongly connected component, weak fairness forbids to stay if and only if some unit is *stuck*: wherever the run
goes inside, the unit is still possible, under the name that it has there, and it is nowhere taken.  That is the largest
set of pairs of a state and a unit which no step inside leads out of.  If there is no such pair, then the run that gives
to one after the other what he is owed is fair; if there is one, then there is one in every state of the component.

An informer is starved already if it is possible somewhere and never taken; then a run has to keep away from these
states, and what is left of the component is looked at again.  Informers are on nodes, and these only change places:
call each by its name in one state of a component, the root, and give each state the exchange that leads to it along a
spanning tree (its frame).  The other steps then lead back to the root by exchanges that generate a group: a run may
come back with any of them carried out, so what holds of an informer has to be asked of all that the group takes it to.

What remains in the end are the ``Region``s: the run that goes everywhere in one is fair.  (This is what the components
of the graph without symmetry would say.)  Renamings are looked up only in components that the units' kinds, whoever
they are about, do not decide.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

from kythera.model.normalise import IDENTITY, Renaming
from kythera.model.rule import CLOCK
from kythera.properties.engines.core import Core
from kythera.properties.engines.deadline import GRACE, Deadline
from kythera.properties.engines.graph import CLOCK_UNIT, Graph, components, cyclic, strong_components
from kythera.properties.engines.renamings import Renamings
from kythera.properties.engines.tables import Unit
from kythera.properties.engines.units import carried, for_ever, is_generated, kind_of, learns, renamed

Permutation = tuple[int, ...]
"""What becomes of each exchangeable node, by their numbers."""

Key = TypeVar("Key", bound=tuple[Any, ...])

SEARCHED = 50_000
"""How many situations are searched for the shortest fair cycle before a longer one is good enough."""

SETTLED = -2
"""Instead of a unit: it has got what it was owed, or is not owed it any more."""


class Way(NamedTuple):
    """A step inside a component; ``renaming``: the number of what it renames."""

    action: int
    target: int
    renaming: int


@dataclass(eq=False, slots=True)
class Region:
    """States in all of which a fair run can be again and again, and the steps between them by their source."""

    members: list[int]
    inside: set[int] = field(default_factory=set)
    numbers: dict[int, int] = field(default_factory=dict)  # of its states, by the states
    ways: dict[int, list[Way]] = field(default_factory=dict)


class Place(NamedTuple):
    """Where a run has got to, with units and nodes called as at its entry.

    ``nodes``: what they are called by now.  ``waiting``: the units that were possible all the time and not taken, each
    with what it is called by now.  ``given``: the informers that have learnt, and ``promised``: those that could have
    and have not.
    """

    state: int
    nodes: Permutation
    waiting: frozenset[tuple[int, int]]
    given: frozenset[int]
    promised: frozenset[int]


class Fairness:
    """The fair runs of a graph."""

    def __init__(self, core: Core, graph: Graph, deadline: Deadline | None = None) -> None:
        self.core = core
        self.graph = graph
        self.deadline = deadline or Deadline()
        symmetry = core.system.symmetry
        self.names = [name for nodes in (symmetry.classes if symmetry else ()) for name in nodes]
        self.same: Permutation = tuple(range(len(self.names)))
        self.units: list[Unit] = list(core.tables.actions)
        self.numbers = {unit: number for number, unit in enumerate(self.units)}
        self.follows = symmetry is not None and (bool(self.names) or any(map(is_generated, self.units)))
        self.renamings = Renamings(core)
        self.known: list[Renaming] = [IDENTITY]
        self.known_numbers: dict[Renaming, int] = {IDENTITY: 0}
        self.permutations: list[Permutation] = [self.same]
        self.moved: dict[tuple[int, Permutation], int] = {}
        self.called: dict[tuple[int, int], int] = {}
        self.kinds: dict[int, frozenset[Unit]] = {}
        self.label: Sequence[int] = components(graph)
        self.members: dict[int, list[int]] = cyclic(graph, self.label)
        self.judged: set[int] = set()
        self.regions: dict[int, Region] = {}

    # --- regions ----------------------------------------------------------------------------------------------------

    def region(self, state: int) -> Region | None:
        """The states in which a fair run can be again and again, together with this one; ``None`` if it cannot."""
        component = self.label[state]
        if component in self.members and component not in self.judged:
            for region in self._regions(self.members[component]):
                self.regions.update(dict.fromkeys(region.members, region))
            self.judged.add(component)
        return self.regions.get(state)

    def _regions(self, component: list[int]) -> Iterator[Region]:
        todo = [Region(component)]
        while todo:
            region = todo.pop()
            always, owed = self._kinds(self.graph.owes[region.members[0]]), frozenset[Unit]()
            for number in {self.graph.owes[state] for state in region.members}:
                always &= self._kinds(number)
                owed |= self._kinds(number)
            avoided = self._avoided(region) if any(map(learns, owed)) else frozenset()
            if avoided:
                left = [state for state in region.members if state not in avoided]
                todo.extend(self._parts(region, left) if left else ())
            elif not always or not self._stuck(region, always):
                yield region

    def _kinds(self, number: int) -> frozenset[Unit]:
        """The fair units of a set, whoever they are about."""
        found = self.kinds.get(number)
        if found is None:
            nobody = dict.fromkeys(self.names, "")
            found = self.kinds[number] = frozenset(
                ("", CLOCK, "") if each == CLOCK_UNIT else kind_of(self.units[each], nobody)
                for each in self.graph.sets[number]
            )
        return found

    def _avoided(self, region: Region) -> frozenset[int]:
        """The states of a component in which an informer can learn that never does inside."""
        root = region.members[0]
        frames = {root: self.same}
        queue = deque([root])
        turns, taken = {self.same}, set[int]()
        informers: dict[int, list[int]] = {}
        while queue:
            self.deadline.check()
            state = queue.popleft()
            back = inverse(frames[state])
            for each in self.graph.owed(state):
                if self.learns(each):
                    informers.setdefault(self.unit(each, back), []).append(state)
            for way in self.ways(region, state):
                nodes = after(frames[state], self.permutations[way.renaming])
                if way.target not in frames:
                    frames[way.target] = nodes
                    queue.append(way.target)
                turns.add(after(nodes, inverse(frames[way.target])))
                if self.learns(way.action):
                    taken.add(self.unit(way.action, back))
        starved = (states for unit, states in informers.items() if taken.isdisjoint(self.orbit(unit, turns)))
        return frozenset(state for states in starved for state in states)

    def _stuck(self, region: Region, always: frozenset[Unit]) -> bool:
        """Whether some unit can never be given what it is owed inside; ``always``: what is possible everywhere."""
        nobody = dict.fromkeys(self.names, "")
        wanted: dict[int, list[int]] = {}
        for number in {self.graph.owes[state] for state in region.members}:
            wanted[number] = [
                each
                for each in self.graph.sets[number]
                if each == CLOCK_UNIT
                or (not self.learns(each) and kind_of(self.units[each], nobody) in always)
            ]  # fmt: skip
        stuck = {(state, each) for state in region.members for each in wanted[self.graph.owes[state]]}
        before: dict[tuple[int, int], list[tuple[int, int]]] = {}
        loose: list[tuple[int, int]] = []
        for state in region.members:
            self.deadline.check()
            ways = self.ways(region, state)
            for each in wanted[self.graph.owes[state]]:
                for way in ways:
                    there = (way.target, self.goes_on(each, way))
                    if there not in stuck:
                        loose.append((state, each))
                    else:
                        before.setdefault(there, []).append((state, each))
        stuck.difference_update(loose)
        while loose:
            for pair in before.pop(loose.pop(), ()):
                if pair in stuck:
                    stuck.remove(pair)
                    loose.append(pair)
        return bool(stuck)

    def _parts(self, region: Region, left: list[int]) -> Iterator[Region]:
        """The strong components of what is left of a region, with the steps inside them."""
        number = {state: i for i, state in enumerate(left)}
        first, target = array("i", [0]), array("i")
        for state in left:
            self.deadline.check()
            target.extend(number[way.target] for way in self.ways(region, state) if way.target in number)
            first.append(len(target))
        label = strong_components(first, target)
        parts: dict[int, Region] = {}
        for state in left:
            parts.setdefault(label[number[state]], Region([])).members.append(state)
        for part in parts.values():
            part.inside.update(part.members)
            for state in part.members:
                part.ways[state] = [way for way in self.ways(region, state) if way.target in part.inside]
        return (part for part in parts.values() if any(part.ways.values()))

    def ways(self, region: Region, state: int) -> list[Way]:
        """The steps inside a region out of a state, looked up when they are asked for."""
        found = region.ways.get(state)
        if found is not None:
            return found
        graph = self.graph
        if not region.inside:
            region.inside.update(region.members)
        if not self.follows:
            steps = range(graph.first[state], graph.first[state + 1])
            found = [Way(graph.action[i], graph.target[i], 0) for i in steps if graph.target[i] in region.inside]
        else:
            if not region.numbers:
                region.numbers = {graph.states[each]: each for each in region.members}
            found = []
            for action, successor, renaming in self.renamings.steps(graph.states[state]):
                target = region.numbers.get(successor)
                if target is not None:
                    found.append(Way(action, target, self.number(renaming)))
        region.ways[state] = found
        return found

    # --- names ------------------------------------------------------------------------------------------------------

    def number(self, renaming: Renaming) -> int:
        """The number of a renaming."""
        found = self.known_numbers.get(renaming)
        if found is None:
            found = self.known_numbers[renaming] = len(self.known)
            self.known.append(renaming)
            self.permutations.append(tuple(self.names.index(renaming.node(name)) for name in self.names))
        return found

    def goes_on(self, unit: int, way: Way) -> int:
        """What a unit that waits is called after a step, if it still waits then; else ``SETTLED``."""
        if way.action == unit:
            return SETTLED
        if unit != CLOCK_UNIT and way.renaming:
            found = self.called.get((unit, way.renaming))
            if found is None:
                new = carried(self.units[unit], self.known[way.renaming])
                found = self.called[unit, way.renaming] = SETTLED if new is None else self.unit_number(new)
            unit = found
        return unit if unit in self.graph.owed(way.target) else SETTLED

    def unit(self, action: int, nodes: Permutation) -> int:
        """The number of a unit after an exchange of nodes."""
        if nodes == self.same or action == CLOCK_UNIT:
            return action
        found = self.moved.get((action, nodes))
        if found is None:
            names = {old: self.names[new] for old, new in zip(self.names, nodes, strict=True)}
            found = self.moved[action, nodes] = self.unit_number(renamed(self.units[action], names))
        return found

    def unit_number(self, unit: Unit) -> int:
        """The number of a unit, which perhaps was never met under this name."""
        found = self.numbers.setdefault(unit, len(self.units))
        if found == len(self.units):
            self.units.append(unit)
        return found

    def learns(self, unit: int) -> bool:
        """Whether a unit is owed strong fairness."""
        return unit != CLOCK_UNIT and learns(self.units[unit])

    def orbit(self, unit: int, turns: Iterable[Permutation]) -> set[int]:
        """All units that exchanges take one to."""
        turns, found, queue = list(turns), {unit}, [unit]
        while queue:
            here = queue.pop()
            new = {self.unit(here, turn) for turn in turns} - found
            found |= new
            queue.extend(new)
        return found

    # --- cycles -----------------------------------------------------------------------------------------------------

    def start(self, entry: int) -> Place:
        """The beginning of a way round."""
        owed = self.graph.owed(entry)
        waiting = frozenset((each, each) for each in owed if not self.learns(each))
        return Place(entry, self.same, waiting, frozenset(), frozenset(filter(self.learns, owed)))

    def take(self, place: Place, way: Way) -> Place:
        """Where a step leads."""
        waiting = frozenset((first, new) for first, now in place.waiting if (new := self.goes_on(now, way)) != SETTLED)
        nodes, given = after(place.nodes, self.permutations[way.renaming]), place.given
        if self.learns(way.action):
            given |= {self.unit(way.action, inverse(place.nodes))}
        back = inverse(nodes)
        owed = frozenset([self.unit(each, back) for each in self.graph.owed(way.target) if self.learns(each)])
        return Place(way.target, nodes, waiting, given, (place.promised | owed) - given)

    def round(self, entry: int, place: Place) -> bool:
        """Whether a run is back at its entry, and is fair if it goes on like this for ever."""
        return (
            place.state == entry
            and not for_ever(dict(place.waiting))
            and not any(place.given.isdisjoint(self.orbit(each, [place.nodes])) for each in place.promised)
        )

    def cycle(self, region: Region, entry: int, first: Way | None = None) -> list[Way]:
        """A short way round that is fair if it is repeated, beginning and ending in ``entry``, with ``first`` first."""
        place = self.start(entry) if first is None else self.take(self.start(entry), first)
        path = [] if first is None else [first]
        if path and self.round(entry, place):
            return path
        shortest = self._search(region, place, self.take, lambda at: self.round(entry, at), SEARCHED)
        if shortest is not None:
            return [*path, *shortest]
        while not self.round(entry, place) or not path:  # one after the other gets what he is owed, then it goes back
            found = self._next(region, entry, place)
            for way in found:
                place = self.take(place, way)
            path += found
        return path

    def _next(self, region: Region, entry: int, place: Place) -> list[Way]:
        """A way on which somebody gets what he is owed, or back to the entry if nobody waits."""
        found: list[Way] | None
        if place.waiting:
            start = (place.state, min(place.waiting)[1])
            found = self._search(
                region, start, lambda at, way: (way.target, self.goes_on(at[1], way)), lambda at: at[1] == SETTLED
            )
        elif place.promised:
            given = place.given
            found = self._search(region, place, self.take, lambda at: len(at.given) > len(given))
        else:
            found = self._search(region, (place.state,), lambda _, way: (way.target,), lambda at: at[0] == entry)
        assert found is not None, "a fair run can go everywhere in its region"
        return found

    def _search(
        self,
        region: Region,
        start: Key,
        follow: Callable[[Key, Way], Key],
        done: Callable[[Key], bool],
        most: float = float("inf"),
    ) -> list[Way] | None:
        """A shortest way, of at least one step, from a situation, which begins with a state, to one that will do.

        With a bound on how many are searched, it gives up when the time is up; without, only some time later.
        """
        before: dict[Key, tuple[Key, Way]] = {}
        queue = deque([start])
        while queue and len(before) < most:
            if most == float("inf"):
                self.deadline.check(grace=GRACE)
            elif self.deadline.over():
                return None
            here = queue.popleft()
            for way in self.ways(region, here[0]):
                there = follow(here, way)
                if done(there):
                    path = [way]
                    while here != start:
                        here, step = before[here]
                        path.append(step)
                    return path[::-1]
                if there not in before and there != start:
                    before[there] = (here, way)
                    queue.append(there)
        return None


def after(first: Permutation, then: Permutation) -> Permutation:
    """One exchange, and then another."""
    return tuple([then[each] for each in first])


def inverse(nodes: Permutation) -> Permutation:
    """The exchange that undoes another."""
    found = [0] * len(nodes)
    for old, new in enumerate(nodes):
        found[new] = old
    return tuple(found)
