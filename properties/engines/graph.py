"""The graph of what was explored: states by number, and every step between them, as flat arrays.

It is built by asking the memo tables once more for each state; nearly all answers are there by then.  States are taken
in the order of their depth until the time is up, or all that were expanded have been taken, and the graph is of these:
what is possible in each of them is known, steps that lead elsewhere are left out.  So a cycle of the graph is a cycle
of the system, and a state without a fair step stays for ever, wherever the exploration or the graph was stopped.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from kythera.properties.engines.codec import Outgrown
from kythera.properties.engines.core import Core
from kythera.properties.engines.deadline import Deadline
from kythera.properties.engines.situations import NEVER
from kythera.properties.engines.tables import Tables

if TYPE_CHECKING:
    from kythera.properties.engines.compiled.engine import Compiled

CLOCK_UNIT = -1
"""The number of the action of the clock: one unit of fairness, since time does not stand still."""

SMALLEST_CHUNK, LARGEST_CHUNK = 1 << 9, 1 << 18
"""How many states the compiled engine is asked about at once."""
CHUNK_SECONDS = 0.2
ASKED = 64
"""The time is looked at after so many states."""


def _numbers() -> array[int]:
    return array("i")


@dataclass(slots=True)
class Graph:
    """Steps ``source[i] -> target[i]`` by the action of number ``action[i]`` (``CLOCK_UNIT``: the clock).

    The steps out of a state lie together, from ``first[state]`` on.  States come in the order of their depth;
    ``ends`` says where each level ends.  ``owes[state]`` is the number of the set, in ``sets``, of the fair actions
    that are possible in a state, also of those that lead out of the graph.  ``known``: how many states were visited;
    if these are more than ``states``, then the others, and steps to them, are missing here.
    """

    states: Sequence[int]
    ends: list[int]
    known: int = 0
    source: array[int] = field(default_factory=_numbers)
    target: array[int] = field(default_factory=_numbers)
    action: array[int] = field(default_factory=_numbers)
    first: array[int] = field(default_factory=_numbers)
    owes: array[int] = field(default_factory=_numbers)
    sets: list[frozenset[int]] = field(default_factory=list)
    before: array[int] | None = None

    def owed(self, state: int) -> frozenset[int]:
        """The fair actions that are possible in a state; the clock counts as one."""
        return self.sets[self.owes[state]]

    def depth(self, state: int) -> int:
        """How many steps lead to a state from the first one, at least."""
        return bisect_right(self.ends, state)

    def way_to(self, state: int) -> list[int]:
        """The numbers of the states on a shortest way to a state, both ends included."""
        if self.before is None:
            self.before = _first_sources(self)
        way = [state]
        while way[-1] > 0:
            way.append(self.before[way[-1]])
        return way[::-1]


def _first_sources(graph: Graph) -> array[int]:
    """For each state the first state that leads to it: of the level before, since states come in that order."""
    found = array("i", [0]) * len(graph.states)
    try:
        import numpy
    except ImportError:
        for a, b in zip(reversed(graph.source), reversed(graph.target), strict=True):
            found[b] = a
        return found
    source, target = (numpy.frombuffer(each, numpy.int32)[::-1] for each in (graph.source, graph.target))
    numpy.frombuffer(found, numpy.int32)[target] = source  # of several, the last one written stays
    return found


def build(core: Core, deadline: Deadline | None = None) -> Graph:
    """The graph of an exploration, of as many of its states as there is time for (at least one)."""
    deadline = deadline or Deadline()
    if core.compiled is not None:
        graph = _build_compiled(core, core.compiled, deadline)
    else:
        graph = _build(core, deadline)
    graph.known = sum(map(len, core.levels))
    if len(graph.states) < graph.known:
        _cut(graph)
    return graph


def _build(core: Core, deadline: Deadline) -> Graph:
    tables, fair, calls = core.tables, core.tables.fair, core.tables.rule_calls
    states = [state for level in core.levels for state in level]
    number = {state: i for i, state in enumerate(states)}
    graph = Graph(states, list(accumulate(map(len, core.levels))))
    sets: dict[frozenset[int], int] = {}
    source, target, action = graph.source, graph.target, graph.action
    graph.first.append(0)
    i = 0
    while i < len(states) and not goes_too_far(core, calls):
        if i % ASKED == 0 and deadline.over(f"{i:,} of {len(states):,} states") and i:
            break
        try:
            steps = list(tables.successors(states[i]))
        except Outgrown:  # the numbers of states stay, and so does what is known of them
            core.rewrite()
            states = [state for level in core.levels for state in level]
            number = {state: i for i, state in enumerate(states)}
            continue
        owed = set()
        for taken, successor in steps:
            if taken == CLOCK_UNIT or fair[taken]:
                owed.add(taken)
            there = number.get(successor)
            if there is not None:
                source.append(i)
                target.append(there)
                action.append(taken)
        graph.first.append(len(source))
        graph.owes.append(sets.setdefault(frozenset(owed), len(sets)))
        i += 1
    graph.states = states[:i]
    graph.sets = list(sets)
    return graph


def goes_too_far(core: Core, calls: int) -> bool:
    """Whether states are met that were not expanded, as new rule calls show, after the time to explore was up."""
    return core.result.stopped == "time" and core.tables.rule_calls > calls


def _build_compiled(core: Core, compiled: Compiled, deadline: Deadline) -> Graph:
    """The same from the compiled engine, which tells steps to states that were visited and no others.

    Where the exploration was stopped, only the states before the last two levels have surely no others.
    """
    import numpy

    states = compiled.states()
    count = len(states)
    graph = Graph(states, list(accumulate(map(len, core.levels))))
    sure = count if core.result.complete else sum(map(len, core.levels[:-2]))
    sets: dict[frozenset[int], int] = {}
    graph.first.append(0)
    begin, chunk, calls = 0, SMALLEST_CHUNK, core.tables.rule_calls
    while (
        begin < count
        and not goes_too_far(core, calls)
        and not (deadline.over(f"{begin:,} of {count:,} states") and begin)
    ):
        asked, end = deadline.clock(), min(begin + chunk, count)
        if begin < sure < end:
            end = sure
        edges = compiled.edges(begin, end)
        edges = edges[numpy.argsort(edges[:, 0], kind="stable")]
        for whole, column in zip((graph.source, graph.target, graph.action), edges.T, strict=True):
            whole.frombytes(column.astype(numpy.int32).tobytes())
        out = numpy.bincount(edges[:, 0] - begin, minlength=end - begin).cumsum() + graph.first[-1]
        graph.first.frombytes(out.astype(numpy.int32).tobytes())
        if begin < sure:
            graph.owes.frombytes(_owed_by_steps(core, begin, end, edges, sets).tobytes())
        else:
            ticking = set(edges[edges[:, 2] == CLOCK_UNIT, 0].tolist())
            for number, state in enumerate(states[begin:end], begin):
                owed = _owed(core.tables, state, number in ticking)
                graph.owes.append(sets.setdefault(owed, len(sets)))
        begin = end
        chunk = (
            min(2 * chunk, LARGEST_CHUNK)
            if deadline.clock() - asked < CHUNK_SECONDS
            else max(chunk // 2, SMALLEST_CHUNK)
        )
    graph.states = states[:begin] if begin < count else states
    graph.sets = list(sets)
    return graph


def _owed_by_steps(core: Core, begin: int, end: int, edges: Any, sets: dict[frozenset[int], int]) -> Any:
    """The numbers of the sets of fair actions that are possible in some states, from all the steps out of them."""
    import numpy

    fair = numpy.array([*core.tables.fair, True])  # the last one is the clock's: its number is -1
    owed = numpy.zeros((end - begin, (len(fair) + 7) // 8), numpy.uint8)  # a set as bits, the clock's first
    steps = edges[fair[edges[:, 2]]]
    numpy.bitwise_or.at(
        owed, (steps[:, 0] - begin, (steps[:, 2] + 1) // 8), (1 << (steps[:, 2] + 1) % 8).astype(numpy.uint8)
    )
    found, which = numpy.unique(owed, axis=0, return_inverse=True)
    bits = numpy.unpackbits(found, axis=1, bitorder="little")
    ours = [frozenset((numpy.flatnonzero(row) - 1).tolist()) for row in bits]
    numbers = numpy.array([sets.setdefault(each, len(sets)) for each in ours], numpy.int32)
    return numbers[which.reshape(-1)]


def _owed(tables: Tables, state: int, ticks: bool) -> frozenset[int]:
    """The fair actions that are possible in a state; ``ticks``: that time can pass is known already."""
    fair, owed, situations = tables.fair, set[int](), []
    for group in tables.groups:
        found = tables.known(group, state & group.mask)
        owed.update(action for action in found.actions if fair[action])
        owed.update(special.action for special in found.specials if fair[special.action])
        situations.append(found)
    wait = tables.wait(situations)
    if not ticks and wait < NEVER:
        ticks = tables.ticked(state, wait) != state
    return frozenset({*owed, CLOCK_UNIT} if ticks else owed)


def _cut(graph: Graph) -> None:
    """Leave out the steps that lead to states which are not in the graph."""
    count = len(graph.states)
    try:
        import numpy
    except ImportError:
        kept = [i for i, there in enumerate(graph.target) if there < count]
        graph.source, graph.target, graph.action = (
            array("i", [each[i] for i in kept]) for each in (graph.source, graph.target, graph.action)
        )
        out = [0] * count
        for a in graph.source:
            out[a] += 1
        graph.first = array("i", [0, *accumulate(out)])
        return
    inside = numpy.frombuffer(graph.target, numpy.int32) < count
    for name in ("source", "target", "action"):
        column = numpy.frombuffer(getattr(graph, name), numpy.int32)
        setattr(graph, name, array("i", column[inside].tobytes()))
    steps = numpy.bincount(numpy.frombuffer(graph.source, numpy.int32), minlength=count)
    graph.first = array("i", numpy.concatenate(([0], steps.cumsum())).astype(numpy.int32).tobytes())


def components(graph: Graph) -> Sequence[int]:
    """The number of each state's strongly connected component."""
    return strong_components(graph.first, graph.target)


def strong_components(first: array[int], target: array[int]) -> Sequence[int]:
    """The same of any graph: ``target[first[i] : first[i + 1]]`` are the successors of ``i``."""
    try:
        import numpy
        from scipy.sparse import csr_matrix
        from scipy.sparse.csgraph import connected_components
    except ImportError:
        return tarjan(first, target)
    count = len(first) - 1
    if not target:
        return range(count)
    targets, firsts = (numpy.frombuffer(each, dtype=numpy.int32) for each in (target, first))
    matrix = csr_matrix((numpy.ones(len(targets), dtype=numpy.int8), targets, firsts), shape=(count, count))
    found: tuple[int, Any] = connected_components(matrix, directed=True, connection="strong")
    labels: list[int] = found[1].tolist()
    return labels


def tarjan(first: Sequence[int], target: Sequence[int]) -> Sequence[int]:
    """Tarjan's algorithm, without recursion: what is used where SciPy is not installed."""
    count = len(first) - 1
    label, low, order = [-1] * count, [0] * count, [0] * count
    place = list(first)  # the next step to follow out of each state
    stack: list[int] = []
    number = met = 0
    for root in range(count):
        if order[root]:
            continue
        way = [root]
        while way:
            here = way[-1]
            if not order[here]:
                met += 1
                order[here] = low[here] = met
                stack.append(here)
            if place[here] < first[here + 1]:
                there = target[place[here]]
                place[here] += 1
                if not order[there]:
                    way.append(there)
                elif label[there] < 0:
                    low[here] = min(low[here], order[there])
                continue
            way.pop()
            if way:
                low[way[-1]] = min(low[way[-1]], low[here])
            if low[here] == order[here]:
                while label[here] < 0:
                    label[stack.pop()] = number
                number += 1
    return label


def cyclic(graph: Graph, label: Sequence[int]) -> dict[int, list[int]]:
    """The states of each component that has a cycle, in their order."""
    try:
        import numpy
    except ImportError:
        cycles = {label[a] for a, b in zip(graph.source, graph.target, strict=True) if label[a] == label[b]}
        members = [state for state, component in enumerate(label) if component in cycles]
    else:
        labels = numpy.array(label)
        source, target = (numpy.frombuffer(each, numpy.int32) for each in (graph.source, graph.target))
        inner = numpy.unique(labels[source[labels[source] == labels[target]]])
        members = numpy.flatnonzero(numpy.isin(labels, inner)).tolist()
    found: dict[int, list[int]] = {}
    for state in members:
        found.setdefault(label[state], []).append(state)
    return found


def reaching(graph: Graph, goals: Iterable[int]) -> bytearray:
    """For each state, 1 if one of the goal states can be reached from it."""
    back: dict[int, list[int]] = {}
    for a, b in zip(graph.source, graph.target, strict=True):
        back.setdefault(b, []).append(a)
    found = bytearray(len(graph.states))
    queue = list(goals)
    for state in queue:
        found[state] = 1
    while queue:
        for before in back.get(queue.pop(), ()):
            if not found[before]:
                found[before] = 1
                queue.append(before)
    return found
