"""Symmetry: which names in a row of slots nobody chose, and what they are called in the canonical form.

``plan`` finds the renaming, ``apply`` carries it out.  The order of nodes depends only on the slots of the nodes and
on the stored pods and nodes, the order of pods only on the stored pods: so most steps of an engine can tell
from what they wrote that there is nothing to rename.  Ties keep the order that they are in; this costs states, and
never an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
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
    stored: tuple[int, ...] = field(init=False)
    node_reads: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        of: dict[str, list[int]] = {}
        for index, slot in enumerate(self.slots):
            if slot.node is not None:
                of.setdefault(slot.node, []).append(index)
        per_node = {node: tuple(sorted(found, key=lambda i: self.slots[i].family)) for node, found in of.items()}
        stored = tuple(i for i, s in enumerate(self.slots) if s.kind)
        shared = [i for i in stored if self.slots[i].kind in ("Pod", "Node")]
        equal = [i for nodes in self.classes for node in nodes for i in per_node.get(node, ())]
        object.__setattr__(self, "node_slots", per_node)
        object.__setattr__(self, "stored", stored)
        object.__setattr__(self, "node_reads", tuple(sorted({*shared, *equal})) if self.classes else ())

    def order_nodes(self, row: Sequence[Any]) -> Renaming:
        """Which node takes which one's place, so that equal nodes stand in the order of what is on them."""
        new: dict[str, str] = {}
        shared = [row[i] for i in self.node_reads if self.slots[i].node is None]
        for nodes in self.classes:
            signatures = {
                node: (
                    *(as_seen_from(row[i], node) for i in self.node_slots.get(node, ())),
                    *(mentions(value, node) for value in shared),
                )
                for node in nodes
            }
            ordered = sorted(nodes, key=lambda node: signatures[node])  # stable: ties stay
            new.update({old: nodes[i] for i, old in enumerate(ordered) if old != nodes[i]})
        return Renaming(nodes=Map(new)) if new else IDENTITY

    def plan(self, row: Sequence[Any]) -> Renaming:
        """The renaming that brings a row into its canonical form."""
        nodes = self.order_nodes(row) if self.classes else IDENTITY
        return self.number(row, frozenset().union(*(uids_in(value) for value in row)), nodes)

    def number(self, row: Sequence[Any], found: frozenset[int], nodes: Renaming) -> Renaming:
        """The renaming of the uids ``found``, from the stored objects of a row, where nodes are exchanged so."""
        order: dict[int, None] = {}
        pods: tuple[int, ...] = ()
        for index in self.stored:
            objects = rename(row[index], nodes) if nodes else row[index]
            if self.slots[index].kind == "Pod" and self.pods:
                pods = order_pods(objects)
            else:
                order.update(dict.fromkeys(order_named(objects)))
        order.update(dict.fromkeys(pods))
        order.update(dict.fromkeys(sorted(found - order.keys())))
        uids = {str(old): new for new, old in enumerate(order) if old != new}
        return Renaming(Map(uids), nodes.nodes) if uids or nodes else IDENTITY

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
