"""The regions of a graph: the sets of states in which a fair run can go everywhere for ever."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from kythera.properties.engines.core import Core
from kythera.properties.engines.deadline import Deadline
from kythera.properties.engines.fairness.names import NOBODY, Names, Way, after, inverse
from kythera.properties.engines.fairness.units import learns
from kythera.properties.engines.graph import Graph, components, cyclic, strong_components
from kythera.properties.engines.renamings import Renamings
from kythera.properties.engines.situations import Unit

ASKED = 1_000
"""The time is looked at after so many pairs of a state and a unit."""


@dataclass(eq=False, slots=True)
class Region:
    """States in all of which a fair run can be again and again, and the steps between them by their source."""

    members: list[int]
    inside: set[int] = field(default_factory=set)
    numbers: dict[int, int] = field(default_factory=dict)  # of its states, by the states
    ways: dict[int, list[Way]] = field(default_factory=dict)


class Regions:
    """The regions of a graph, found when they are asked for."""

    def __init__(self, core: Core, graph: Graph, deadline: Deadline | None = None) -> None:
        self.graph = graph
        self.deadline = deadline or Deadline()
        self.names = Names(core, graph)
        self.renamings = Renamings(core)
        self.label: Sequence[int] = components(graph)
        self.members: dict[int, list[int]] = cyclic(graph, self.label)
        self.judged: set[int] = set()
        self.found: dict[int, Region] = {}

    def region(self, state: int) -> Region | None:
        """The states in which a fair run can be again and again, together with this one; ``None`` if it cannot."""
        component = self.label[state]
        if component in self.members and component not in self.judged:
            for region in self._regions(self.members[component]):
                self.found.update(dict.fromkeys(region.members, region))
            self.judged.add(component)
        return self.found.get(state)

    def ways(self, region: Region, state: int) -> list[Way]:
        """The steps inside a region out of a state, looked up when they are asked for."""
        found = region.ways.get(state)
        if found is not None:
            return found
        graph = self.graph
        if not region.inside:
            region.inside.update(region.members)
        if not self.names.follows:
            steps = range(graph.first[state], graph.first[state + 1])
            found = [Way(graph.action[i], graph.target[i], 0) for i in steps if graph.target[i] in region.inside]
        else:
            if not region.numbers:
                region.numbers = {graph.states[each]: each for each in region.members}
            found = []
            for action, successor, renaming in self.renamings.steps(graph.states[state]):
                target = region.numbers.get(successor)
                if target is not None:
                    found.append(Way(action, target, self.names.number(renaming)))
        region.ways[state] = found
        return found

    def _regions(self, component: list[int]) -> Iterator[Region]:
        todo = [Region(component)]
        while todo:
            region = todo.pop()
            numbers = {self.graph.owes[state] for state in region.members}
            always = self.names.always(numbers)
            informed = any(learns(each) for number in numbers for each in self.names.kinds(number))
            avoided = self._uninformed(region) if informed else frozenset()
            if not avoided and always:
                avoided = self._stuck(region, always)
            if not avoided:
                yield region
                continue
            left = [state for state in region.members if state not in avoided]
            todo.extend(self._parts(region, left) if left else ())

    def _uninformed(self, region: Region) -> frozenset[int]:
        """The states of a component in which an informer can learn that never does inside."""
        names = self.names
        root = region.members[0]
        frames = {root: names.same}
        queue = deque([root])
        turns, taken = {names.same}, set[int]()
        informers: dict[int, list[int]] = {}
        while queue:
            self.deadline.check()
            state = queue.popleft()
            back = inverse(frames[state])
            for each in self.graph.owed(state):
                if names.learns(each):
                    informers.setdefault(names.exchanged(each, back), []).append(state)
            for way in self.ways(region, state):
                nodes = after(frames[state], names.permutations[way.renaming])
                if way.target not in frames:
                    frames[way.target] = nodes
                    queue.append(way.target)
                turns.add(after(nodes, inverse(frames[way.target])))
                if names.learns(way.action):
                    taken.add(names.exchanged(way.action, back))
        starved = (states for unit, states in informers.items() if taken.isdisjoint(names.orbit(unit, turns)))
        return frozenset(state for states in starved for state in states)

    def _stuck(self, region: Region, always: frozenset[Unit]) -> frozenset[int]:
        """The states of a component in which a unit is possible that can never be given what it is owed inside.

        ``always``: the kinds of units that wait everywhere.
        """
        names, graph = self.names, self.graph
        owed: dict[int, list[int]] = {}
        for number in {graph.owes[state] for state in region.members}:
            owed[number] = [each for each in graph.sets[number] if names.kind(each) in always]
        todo = [(state, each) for state in region.members for each in owed[graph.owes[state]]]
        stuck, loose = set(todo), list[tuple[int, int]]()
        before: dict[tuple[int, int], list[tuple[int, int]]] = {}
        asked = 0
        while todo:
            asked += 1
            if asked % ASKED == 0:
                self.deadline.check()
            pair = state, each = todo.pop()
            for way in self.ways(region, state):
                there = (way.target, names.goes_on(each, way))
                if there[1] == NOBODY:
                    loose.append(pair)
                    continue
                before.setdefault(there, []).append(pair)
                if there not in stuck:  # it is not possible there, and waits
                    stuck.add(there)
                    todo.append(there)
        stuck.difference_update(loose)
        while loose:
            for pair in before.pop(loose.pop(), ()):
                if pair in stuck:
                    stuck.remove(pair)
                    loose.append(pair)
        return frozenset(state for state, each in stuck if each in graph.owed(state))

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
