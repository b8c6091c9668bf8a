"""The graph of what was explored: states by number, and every step between them, as flat arrays.

It is built by asking the memo tables once more for each state; nearly all answers are there by then.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from kythera.properties.engines.codec import Outgrown
from kythera.properties.engines.core import Core


@dataclass(slots=True)
class Graph:
    """Steps ``source[i] -> target[i]`` by the action of number ``action[i]`` (-1: the clock).

    ``complete``: whether the steps out of a state are all there (states of the last level may not be expanded).
    """

    states: list[int]
    source: array[int]
    target: array[int]
    action: array[int]
    expanded: int


def build(core: Core) -> Graph:
    """The graph of an exploration."""
    while True:
        try:
            return _build(core)
        except Outgrown:
            core.rewrite()


def _build(core: Core) -> Graph:
    states = [state for level in core.levels for state in level]
    number = {state: i for i, state in enumerate(states)}
    source, target, action = array("i"), array("i"), array("i")
    for i, state in enumerate(states):
        for taken, successor in core.tables.successors(state):
            there = number.get(successor)
            if there is not None:
                source.append(i)
                target.append(there)
                action.append(taken)
    return Graph(states, source, target, action, len(states))


def components(graph: Graph) -> tuple[int, Sequence[int]]:
    """The strongly connected components: how many, and the number of each state's component."""
    count = len(graph.states)
    try:
        import numpy
        from scipy.sparse import coo_matrix
        from scipy.sparse.csgraph import connected_components
    except ImportError:
        return _components_without_scipy(graph)
    ones = numpy.ones(len(graph.source), dtype=numpy.int8)
    source = numpy.frombuffer(graph.source, dtype=numpy.int32) if graph.source else numpy.zeros(0, numpy.int32)
    target = numpy.frombuffer(graph.target, dtype=numpy.int32) if graph.target else numpy.zeros(0, numpy.int32)
    matrix = coo_matrix((ones, (source, target)), shape=(count, count)).tocsr()
    found: tuple[int, Any] = connected_components(matrix, directed=True, connection="strong")
    return int(found[0]), found[1].tolist()


def _components_without_scipy(graph: Graph) -> tuple[int, Sequence[int]]:
    import networkx

    directed: Any = networkx.DiGraph()
    directed.add_nodes_from(range(len(graph.states)))
    directed.add_edges_from(zip(graph.source, graph.target, strict=True))
    label = [0] * len(graph.states)
    number = -1
    for number, members in enumerate(networkx.strongly_connected_components(directed)):
        for state in members:
            label[state] = number
    return number + 1, label


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
