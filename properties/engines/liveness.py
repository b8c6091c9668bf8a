"""Liveness: does every fair run get to the goal and stay there; can the goal always still be reached.

A run that never settles stays, from some time on, in one strongly connected component.  Under weak fairness a
component carries a fair run iff each fair action is taken inside it or is impossible in one of its states (the run
that goes everywhere in the component is then fair; and if one is always possible and never taken, no run is).  A state
without successor lasts for ever, if nobody owes a step in it.

Steps of faults and users happen only so often, so they lie on no cycle; they owe nothing.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

from kythera.properties.engines.core import Core
from kythera.properties.engines.graph import Graph, build, components, inside, reaching
from kythera.properties.property import Convergence, Recoverable

CLOCK_UNIT = -1


@dataclass(slots=True)
class Lasso:
    """A run that breaks a property: to ``entry``, and from there round ``cycle`` for ever (empty: it stays).

    ``cycle`` lists states as integers, beginning after ``entry`` and ending with it.
    """

    property: str
    message: str
    entry: int
    cycle: list[int]


class Liveness:
    """The graph of an exploration, asked about several properties."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.graph: Graph = build(core)
        self.count, self.label = components(self.graph)
        self.steps = inside(self.graph, self.label)
        self.members: dict[int, list[int]] = {}
        self.units: dict[int, frozenset[int]] = {}
        for i, component in enumerate(self.label):
            if component in self.steps or not self.owed(i):
                self.members.setdefault(component, []).append(i)

    def owed(self, state: int) -> frozenset[int]:
        """The fair actions that are possible in a state; the clock counts as one."""
        found = self.units.get(state)
        if found is None:
            fair = self.core.tables.fair
            steps = self.core.tables.successors(self.graph.states[state])
            found = self.units[state] = frozenset(action for action, _ in steps if action == CLOCK_UNIT or fair[action])
        return found

    def fair(self, component: int) -> bool:
        """Whether a run can stay in a component for ever and be fair.

        An informer receives its events beside the workers, although it stands still here while a request is under
        way: that it is possible again and again is enough for it to be owed (strong fairness).
        """
        always: frozenset[int] | None = None
        ever: set[int] = set()
        for state in self.members[component]:
            owed = self.owed(state)
            always = owed if always is None else always & owed
            ever |= owed
        taken = {self.graph.action[i] for i in self.steps.get(component, ())}
        actions = self.core.tables.actions
        events = {unit for unit in ever if unit != CLOCK_UNIT and actions[unit][1] == "learn"}
        return (always or frozenset()) | events <= taken

    def values(self, prop: Convergence | Recoverable, state: int) -> tuple[Any, ...]:
        """The values of a property's slots in a state."""
        tables = self.core.tables
        return tuple(tables.codec.value(tables.index[name], self.graph.states[state]) for name in prop.slots)

    def convergence(self, prop: Convergence) -> Lasso | None:
        """The shortest run that is fair and never settles in the goal, or takes a forbidden step for ever."""
        for component in sorted(self.members, key=lambda c: self.members[c][0]):
            if prop.missing is not None:
                for state in self.members[component]:
                    message = prop.missing(*self.values(prop, state))
                    if message is not None and self.fair(component):
                        return self.lasso(prop.name, message, state, component)
            if prop.forbidden is not None and component in self.steps and self.fair(component):
                found = self.forbidden(prop, component)
                if found is not None:
                    return found
        return None

    def forbidden(self, prop: Convergence, component: int) -> Lasso | None:
        """A cycle through a forbidden step of a component."""
        assert prop.forbidden is not None
        system, codec = self.core.system, self.core.tables.codec
        inner = {self.graph.states[i] for i in self.members[component]}
        slots = [system.index[name] for name in prop.slots]
        for state in self.members[component]:
            row = codec.decode(self.graph.states[state])
            for move in system.moves(row):
                target = codec.encode(move.row)
                if target not in inner:
                    continue
                message = prop.forbidden(tuple(row[i] for i in slots), tuple(move.raw[i] for i in slots), move.action)
                if message is not None:
                    to = next(i for i in self.members[component] if self.graph.states[i] == target)
                    return self.lasso(prop.name, message, state, component, to)
        return None

    def lasso(self, name: str, message: str, entry: int, component: int, via: int | None = None) -> Lasso:
        """A cycle through ``entry`` (by way of the step to ``via``, if given) that is fair itself."""
        follow: dict[int, list[tuple[int, int]]] = {}
        for i in self.steps.get(component, ()):
            follow.setdefault(self.graph.source[i], []).append((self.graph.target[i], self.graph.action[i]))
        path: list[int] = [] if via is None else [via]
        taken: set[int] = set()
        if via is not None:
            taken |= {a for t, a in follow.get(entry, ()) if t == via}
        if follow:
            if via is None:
                path = self._walk(follow, entry, {entry}, taken)
            while path:
                cycle = [entry, *path]
                if cycle[-1] != entry:
                    path += self._walk(follow, path[-1], {entry}, taken)
                    cycle = [entry, *path]
                always = frozenset.intersection(*(self.owed(state) for state in cycle))
                unpaid = always - taken
                if not unpaid:
                    break
                unit = min(unpaid)
                wanted = {s for s in self.members[component] if unit not in self.owed(s)}
                sources = {s for s, out in follow.items() if any(a == unit for _, a in out)}
                path += self._walk(follow, path[-1], wanted | sources, taken)
                if path[-1] in sources and path[-1] not in wanted:
                    target = next(t for t, a in follow[path[-1]] if a == unit)
                    taken.add(unit)
                    path.append(target)
                if path[-1] != entry:
                    path += self._walk(follow, path[-1], {entry}, taken)
        states = self.graph.states
        return Lasso(name, message, states[entry], [states[i] for i in path])

    @staticmethod
    def _walk(follow: dict[int, list[tuple[int, int]]], start: int, goals: set[int], taken: set[int]) -> list[int]:
        """The states after ``start`` on a shortest way (of at least one step) to one of the goals."""
        before: dict[int, tuple[int, int]] = {}
        queue = deque([start])
        while queue:
            here = queue.popleft()
            for there, action in follow.get(here, ()):
                if there in goals or there not in before:
                    known = there in before
                    if not known:
                        before[there] = (here, action)
                    if there in goals:
                        path = [there]
                        taken.add(action)
                        while here != start:
                            path.append(here)
                            here, step = before[here]
                            taken.add(step)
                        return path[::-1]
                    queue.append(there)
        return []

    def recoverable(self, prop: Recoverable) -> Lasso | None:
        """The nearest state from which the goal cannot be reached any more."""
        missing: dict[int, str] = {}
        goals = []
        for state in range(len(self.graph.states)):
            message = prop.missing(*self.values(prop, state))
            if message is None:
                goals.append(state)
            else:
                missing[state] = message
        can = reaching(self.graph, goals)
        for state, message in missing.items():
            if not can[state]:
                return Lasso(prop.name, message, self.graph.states[state], [])
        return None
