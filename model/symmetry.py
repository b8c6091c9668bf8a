"""Symmetry: which names in a row of slots nobody chose, and what they are called in the canonical form.

``plan`` finds the renaming, ``apply`` carries it out.  The order of nodes depends only on the slots of the nodes and
on the stored pods and nodes, the order of pods only on the stored pods: so most steps of an engine can tell
from what they wrote that there is nothing to rename.  Ties keep the order that they are in; this costs states, and
never an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import Any

from kythera.model.feed import Objects
from kythera.model.normalise import (
    IDENTITY,
    Renaming,
    anonymous,
    nodes_in,
    rename,
    uids_in,
)
from kythera.model.record import Map
from kythera.model.slot import Slot

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Symmetry:
    """The names of a system that may be exchanged.

    ``classes``: groups of node names that the scenario cannot tell apart.  ``pods``: whether pods are put in order (if
    not, their uids are only closed up).
    """

    slots: tuple[Slot, ...]
    classes: tuple[tuple[str, ...], ...] = ()
    pods: bool = True
    node_slots: dict[str, tuple[int, ...]] = field(init=False)
    stored: tuple[int, ...] = field(init=False)  # in the order in which the uids in them are numbered
    node_reads: tuple[int, ...] = field(init=False)
    marked: dict[str, tuple[int, ...]] = field(init=False)  # what the place of each node that may be exchanged rests on

    def __post_init__(self) -> None:
        of: dict[str, list[int]] = {}
        for index, slot in enumerate(self.slots):
            if slot.node is not None:
                of.setdefault(slot.node, []).append(index)
        per_node = {node: tuple(sorted(found, key=lambda i: self.slots[i].family)) for node, found in of.items()}
        stored = [i for i, s in enumerate(self.slots) if s.kind]
        shared = [i for i in stored if self.slots[i].kind in ("Pod", "Node")]
        marked = {node: (*per_node.get(node, ()), *shared) for nodes in self.classes for node in nodes}
        reads = sorted({i for slots in marked.values() for i in slots})
        object.__setattr__(self, "node_slots", per_node)
        object.__setattr__(self, "stored", tuple(sorted(stored, key=lambda i: (self.are_pods(i), i))))
        object.__setattr__(self, "node_reads", tuple(reads))
        object.__setattr__(self, "marked", marked)

    def are_pods(self, index: int) -> bool:
        """Whether a slot holds the pods that are put in order."""
        return self.pods and self.slots[index].kind == "Pod"

    def mark(self, index: int, value: Any, node: str) -> Any:
        """What the value of a slot says about the place of a node, whatever the node is called."""
        return mentions(value, node) if self.slots[index].node is None else as_seen_from(value, node)

    def exchange(self, marks: Callable[[int, str], Any]) -> Renaming:
        """Which node takes which one's place, so that equal nodes stand in the order of their marks."""
        new: dict[str, str] = {}
        for nodes in self.classes:
            signatures = {node: tuple([marks(i, node) for i in self.marked[node]]) for node in nodes}
            ordered = sorted(nodes, key=lambda node: signatures[node])  # stable: ties stay
            new.update({old: nodes[i] for i, old in enumerate(ordered) if old != nodes[i]})
        return Renaming(nodes=Map(new)) if new else IDENTITY

    def order(self, index: int, objects: Objects, nodes: Renaming) -> tuple[int, ...]:
        """The uids of stored objects in the order in which they are numbered, where nodes are exchanged so."""
        renamed = rename(objects, nodes) if nodes else objects
        return order_pods(renamed) if self.are_pods(index) else order_named(renamed)

    def numbering(self, orders: Iterable[tuple[int, ...]], found: Iterable[int], nodes: Renaming) -> Renaming:
        """The renaming of the uids ``found``: those of stored objects (``orders``) first, then what is left."""
        order = dict.fromkeys(chain.from_iterable(orders))
        order.update(dict.fromkeys(sorted(set(found) - order.keys())))
        uids = {str(old): new for new, old in enumerate(order) if old != new}
        return Renaming(Map(uids), nodes.nodes) if uids or nodes else IDENTITY

    def plan(self, row: Sequence[Any]) -> Renaming:
        """The renaming that brings a row into its canonical form."""
        nodes = self.exchange(lambda i, node: self.mark(i, row[i], node))
        orders = [self.order(i, row[i], nodes) for i in self.stored]
        return self.numbering(orders, frozenset().union(*(uids_in(value) for value in row)), nodes)

    def apply(self, row: Sequence[Any], renaming: Renaming) -> Row:
        """The row under a renaming: its values renamed, the slots of nodes moved with their nodes."""
        new = [rename(value, renaming) for value in row]
        for old, name in renaming.nodes.items():
            for source, target in zip(self.node_slots.get(old, ()), self.node_slots.get(name, ()), strict=True):
                new[target] = rename(row[source], renaming)
        return tuple(new)


@lru_cache(maxsize=500_000)
def as_seen_from(value: Any, node: str) -> int:
    """The fingerprint of a value in which a node is only "this one", whatever it is called."""
    return anonymous(rename(value, Renaming(nodes=Map({node: ""}))), "")


@lru_cache(maxsize=500_000)
def mentions(objects: Objects, node: str) -> tuple[int, ...]:
    """The fingerprints of the objects that are about a node, whatever the node is called."""
    return tuple(
        sorted(
            as_seen_from(obj, node)
            for obj in objects
            if node in nodes_in(obj) or (type(obj).__name__ == "Node" and obj.metadata.name == node)  # type: ignore[attr-defined]
        )
    )


@lru_cache(maxsize=500_000)
def order_named(objects: Objects) -> tuple[int, ...]:
    """The uids of objects, by namespace and name."""
    metas: list[Any] = [obj.metadata for obj in objects]  # type: ignore[attr-defined]
    named = sorted((meta.namespace, meta.name, meta.uid) for meta in metas if meta.uid is not None)
    return tuple(uid for _, _, uid in named)


@lru_cache(maxsize=500_000)
def order_pods(objects: Objects) -> tuple[int, ...]:
    """The uids of pods, by namespace and name, then by what they are, whatever their uids are."""
    found = []
    for obj in objects:
        meta: Any = obj.metadata  # type: ignore[attr-defined]
        found.append((meta.namespace, meta.name or meta.generate_name, anonymous(obj), meta.uid))
    return tuple(uid for _, _, _, uid in sorted(found))
