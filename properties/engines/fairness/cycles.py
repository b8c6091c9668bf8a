"""Short ways round in a region that are fair if they are repeated for ever."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple, TypeVar

from kythera.properties.engines.deadline import GRACE
from kythera.properties.engines.fairness.names import NOBODY, Permutation, Way, after, inverse
from kythera.properties.engines.fairness.regions import Region, Regions

Key = TypeVar("Key", bound=tuple[Any, ...])

SEARCHED = 50_000
"""How many situations are searched for the shortest fair cycle before a longer one is good enough."""


class Place(NamedTuple):
    """Where a run has got to, with units and nodes called as at its entry.

    ``nodes``: what they are called by now.  ``waiting``: the units that were possible at the entry, have waited all the
    time and were not taken, each with what it is called by now.  ``busy``: the processes that could look at no key all
    the time, and ``late``: the keys that were worth a look as soon as such a process could look at one, and still wait,
    both as they are called by now.  ``given``: the informers that have learnt, and ``promised``: those that could have
    and have not.
    """

    state: int
    nodes: Permutation
    waiting: frozenset[tuple[int, int]]
    busy: frozenset[int]
    late: frozenset[int]
    given: frozenset[int]
    promised: frozenset[int]


class Cycles:
    """The ways round in the regions of a graph."""

    def __init__(self, regions: Regions) -> None:
        self.regions = regions
        self.names = regions.names
        self.graph = regions.graph
        self.deadline = regions.deadline

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

    def start(self, entry: int) -> Place:
        """The beginning of a way round."""
        names, number = self.names, self.graph.owes[entry]
        owed = self.graph.sets[number]
        waiting = frozenset((each, each) for each in owed if not names.learns(each))
        promised = frozenset(filter(names.learns, owed))
        return Place(entry, names.same, waiting, names.busy(number), frozenset(), frozenset(), promised)

    def take(self, place: Place, way: Way) -> Place:
        """Where a step leads."""
        names, number = self.names, self.graph.owes[way.target]
        owed = self.graph.sets[number]
        waiting = [(first, names.goes_on(now, way)) for first, now in place.waiting]
        late = {names.goes_on(now, way) for now in place.late} - {NOBODY}
        busy = frozenset[int]()
        if place.busy:
            held = {names.called(each, way) for each in place.busy}
            busy = names.busy(number) & held
            late.update(each for each in owed if names.sender(each) in held - busy)
        nodes, given = after(place.nodes, names.permutations[way.renaming]), place.given
        if names.learns(way.action):
            given |= {names.exchanged(way.action, inverse(place.nodes))}
        back = inverse(nodes)
        learning = frozenset([names.exchanged(each, back) for each in owed if names.learns(each)])
        return Place(
            way.target,
            nodes,
            frozenset([pair for pair in waiting if pair[1] != NOBODY]),
            busy,
            frozenset(late),
            given,
            (place.promised | learning) - given,
        )

    def round(self, entry: int, place: Place) -> bool:
        """Whether a run is back at its entry, and is fair if it goes on like this for ever."""
        return (
            place.state == entry
            and not place.late
            and not for_ever(dict(place.waiting), self.graph.owed(entry))
            and not any(place.given.isdisjoint(self.names.orbit(each, [place.nodes])) for each in place.promised)
        )

    def _next(self, region: Region, entry: int, place: Place) -> list[Way]:
        """A way on which somebody gets what he is owed, or back to the entry if nobody waits."""
        found: list[Way] | None
        if place.waiting or place.late:
            start = (place.state, min(place.waiting)[1] if place.waiting else min(place.late))
            found = self._search(
                region, start, lambda at, way: (way.target, self.names.goes_on(at[1], way)), lambda at: at[1] == NOBODY
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
            for way in self.regions.ways(region, here[0]):
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


def for_ever(waiting: Mapping[int, int], followed: Collection[int]) -> set[int]:
    """Who waits for ever if a round is repeated.

    ``waiting``: those of the ``followed`` who waited all the time, and their new names.  Nothing is known of a new name
    that was not followed: it is taken to wait for ever.
    """
    left = set(waiting)
    while True:
        fewer = {each for each in left if waiting[each] in left or waiting[each] not in followed}
        if fewer == left:
            return left
        left = fewer
