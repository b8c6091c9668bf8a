"""The graph of what was explored: states by number, and every step between them, as flat arrays.

It is built by asking the memo tables once more for each state; nearly all answers are there by then.  Where an
exploration was stopped, the states that were not expanded yet are expanded now, so that what is possible in a state is
known of all of them; steps to states that were never visited are left out.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from kythera.properties.engines.codec import Outgrown
from kythera.properties.engines.core import Core
from kythera.properties.engines.tables import NEVER, Special, Tables

if TYPE_CHECKING:
    from kythera.properties.engines.compiled.engine import Compiled

CLOCK_UNIT = -1
"""The number of the action of the clock: one unit of fairness, since time does not stand still."""

CHUNK = 1 << 18


def _numbers() -> array[int]:
    return array("i")


@dataclass(slots=True)
class Graph:
    """Steps ``source[i] -> target[i]`` by the action of number ``action[i]`` (``CLOCK_UNIT``: the clock).

    The steps out of a state lie together, from ``first[state]`` on.  States come in the order of their depth;
    ``ends`` says where each level ends.  ``owes[state]`` is the number of the set, in ``sets``, of the fair actions
    that are possible in a state, also of those that lead out of the graph.
    """

    states: Sequence[int]
    ends: list[int]
    source: array[int] = field(default_factory=_numbers)
    target: array[int] = field(default_factory=_numbers)
    action: array[int] = field(default_factory=_numbers)
    first: array[int] = field(default_factory=_numbers)
    owes: array[int] = field(default_factory=_numbers)
    sets: list[frozenset[int]] = field(default_factory=list)

    def owed(self, state: int) -> frozenset[int]:
        """The fair actions that are possible in a state; the clock counts as one."""
        return self.sets[self.owes[state]]

    def depth(self, state: int) -> int:
        """How many steps lead to a state from the first one, at least."""
        return bisect_right(self.ends, state)


def build(core: Core) -> Graph:
    """The graph of an exploration."""
    if core.compiled is not None and core.result.complete:
        return _build_compiled(core, core.compiled)
    while True:
        try:
            return _build(core)
        except Outgrown:
            core.rewrite()


def _build(core: Core) -> Graph:
    tables, fair = core.tables, core.tables.fair
    states = [state for level in core.levels for state in level]
    number = {state: i for i, state in enumerate(states)}
    graph = Graph(states, list(accumulate(map(len, core.levels))))
    sets: dict[frozenset[int], int] = {}
    source, target, action = graph.source, graph.target, graph.action
    for i, state in enumerate(states):
        graph.first.append(len(source))
        owed = set()
        for taken, successor in tables.successors(state):
            if taken == CLOCK_UNIT or fair[taken]:
                owed.add(taken)
            there = number.get(successor)
            if there is not None:
                source.append(i)
                target.append(there)
                action.append(taken)
        graph.owes.append(sets.setdefault(frozenset(owed), len(sets)))
    graph.first.append(len(source))
    graph.sets = list(sets)
    return graph


def _build_compiled(core: Core, compiled: Compiled) -> Graph:
    """The same from the compiled engine, where all states were expanded: no step leads out of the graph."""
    import numpy

    states = compiled.states()
    graph = Graph(states, list(accumulate(map(len, core.levels))))
    sets: dict[frozenset[int], int] = {}
    graph.first.append(0)
    for begin in range(0, len(states), CHUNK):
        end = min(begin + CHUNK, len(states))
        edges = compiled.edges(begin, end)
        edges = edges[numpy.argsort(edges[:, 0], kind="stable")]
        for whole, column in zip((graph.source, graph.target, graph.action), edges.T, strict=True):
            whole.frombytes(column.astype(numpy.int32).tobytes())
        out = numpy.bincount(edges[:, 0] - begin, minlength=end - begin).cumsum() + graph.first[-1]
        graph.first.frombytes(out.astype(numpy.int32).tobytes())
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
        graph.owes.frombytes(numbers[which.reshape(-1)].tobytes())
    graph.sets = list(sets)
    return graph


def renaming_steps(core: Core, state: int) -> Iterator[tuple[int, int, int]]:
    """Each step out of a state: its action, where it leads, and which exchange of nodes (0: none) it comes with.

    The exchanges are those of ``Canonical.exchanges``.
    """
    tables = core.tables
    if tables.canonical is None or not tables.node_reads:
        for action, there in tables.successors(state):
            yield action, there, 0
        return
    for (action, there), exchange in zip(tables.successors(state), _exchanges(tables, state), strict=False):
        yield action, there, exchange


def _exchanges(tables: Tables, state: int) -> Iterator[int]:
    """The exchange of each step, in the order of ``Tables.successors``, which is one step ahead."""
    canonical, wake = tables.canonical, NEVER
    assert canonical is not None
    for group in tables.groups:
        found = group.memo.get(state & group.mask)
        if found is None:
            found = tables.local(group, state & group.mask)
        wake = min(wake, found.wake)
        yield from [0] * len(found.deltas)
        for special in found.specials:
            yield _exchange(tables, state ^ special.delta, special)
    if wake < NEVER:
        nodes = tables.system.tick(tables.codec.decode(state), wake).renaming.nodes
        yield next(number for number, known in enumerate(canonical.exchanges) if known.nodes == nodes)


def _exchange(tables: Tables, state: int, special: Special) -> int:
    """How an outcome exchanges nodes, once its stages are carried out."""
    canonical, due = tables.canonical, special.rename or special.nodes
    assert canonical is not None
    for number in special.stages:
        key = state & tables.stage_masks[number]
        delta, rename, nodes = tables.stage_memo[number].get(key) or tables.stage(number, key)
        state ^= delta
        due = due or rename or nodes
    return canonical.order_nodes(state & canonical.node_mask) if due else 0


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


def inside(graph: Graph, label: Sequence[int]) -> dict[int, list[int]]:
    """For each component that has a cycle, the numbers of the steps inside it."""
    found: dict[int, list[int]] = {}
    for i, (a, b) in enumerate(zip(graph.source, graph.target, strict=True)):
        if label[a] == label[b]:
            found.setdefault(label[a], []).append(i)
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
