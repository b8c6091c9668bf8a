"""Symmetry: which names in a row of slots nobody chose, and what they are called in the canonical form.

``plan`` finds the renaming, ``apply`` carries it out.  The order of nodes depends only on the slots of the nodes and
on the histories of pods and nodes, the order of pods only on their own history: so most steps of an engine can tell
from what they wrote that there is nothing to rename.  Ties keep the order that they are in; this costs states, and
never an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from kythera.model.history import History
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
    histories: tuple[int, ...] = field(init=False)
    node_reads: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        of: dict[str, list[int]] = {}
        for index, slot in enumerate(self.slots):
            if slot.node is not None:
                of.setdefault(slot.node, []).append(index)
        per_node = {node: tuple(sorted(found, key=lambda i: self.slots[i].family)) for node, found in of.items()}
        histories = tuple(i for i, s in enumerate(self.slots) if s.kind)
        shared = [i for i in histories if self.slots[i].kind in ("Pod", "Node")]
        equal = [i for nodes in self.classes for node in nodes for i in per_node.get(node, ())]
        object.__setattr__(self, "node_slots", per_node)
        object.__setattr__(self, "histories", histories)
        object.__setattr__(self, "node_reads", tuple(sorted({*shared, *equal})) if self.classes else ())

    def order_nodes(self, row: Sequence[Any]) -> Renaming:
        """Which node takes which one's place, so that equal nodes stand in the order of what is on them."""
        new: dict[str, str] = {}
        shared = [row[i] for i in self.node_reads if self.slots[i].node is None]
        for nodes in self.classes:
            signatures = {
                node: (
                    *(anonymous(row[i], node) for i in self.node_slots.get(node, ())),
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
        order: dict[int, None] = {}
        pods: tuple[int, ...] = ()
        for index in self.histories:
            if self.slots[index].kind == "Pod" and self.pods:
                pods = order_pods(rename(row[index], nodes) if nodes else row[index])
            else:
                order.update(dict.fromkeys(order_named(row[index])))
        order.update(dict.fromkeys(pods))
        found: frozenset[int] = frozenset().union(*(uids_in(value) for value in row))
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
def mentions(history: History, node: str) -> tuple[tuple[int, ...], ...]:
    """Per snapshot, the fingerprints of the objects that are about a node, whatever the node is called."""
    itself = Renaming(nodes=Map({node: ""}))
    return tuple(
        tuple(
            sorted(
                anonymous(rename(obj, itself), "")
                for obj in snapshot
                if node in nodes_in(obj) or (type(obj).__name__ == "Node" and obj.metadata.name == node)  # type: ignore[attr-defined]
            )
        )
        for snapshot in history.snapshots
    )


@lru_cache(maxsize=500_000)
def order_named(history: History) -> tuple[int, ...]:
    """The uids of a history's objects: by namespace and name, earlier incarnations first."""
    found: dict[int, tuple[str, str]] = {}
    for snapshot in history.snapshots:
        for obj in snapshot:
            meta: Any = obj.metadata  # type: ignore[attr-defined]
            if meta.uid is not None:
                found.setdefault(meta.uid, (meta.namespace, meta.name))
    return tuple(sorted(found, key=lambda uid: (found[uid], uid)))


@lru_cache(maxsize=500_000)
def order_pods(history: History) -> tuple[int, ...]:
    """The uids of a history's pods: by namespace and name, then by what became of them, whatever their uids are."""
    found: dict[int, tuple[str, str]] = {}
    for snapshot in history.snapshots:
        for obj in snapshot:
            meta: Any = obj.metadata  # type: ignore[attr-defined]
            found.setdefault(meta.uid, (meta.namespace, meta.name or meta.generate_name))
    became: dict[int, list[int]] = {uid: [] for uid in found}
    for snapshot in history.snapshots:
        seen = {obj.metadata.uid: anonymous(obj) for obj in snapshot}  # type: ignore[attr-defined]
        for uid, versions in became.items():
            versions.append(seen.get(uid, 0))
    return tuple(sorted(found, key=lambda uid: (found[uid], became[uid], uid)))


