"""The canonical form of a state, and its ageing, on integers.

The same renaming as ``Symmetry.plan`` finds and ``Symmetry.apply`` carries out, taken apart so that each part is
remembered: the order of nodes by the bits of what it depends on, the numbering of uids by the stored objects and the
set of uids in use, and what each renaming makes of each ``Block`` of fields: the slots of one process lie together,
and what they hold comes back in many states.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from kythera.model.normalise import IDENTITY, Renaming, older, rename, uids_in
from kythera.model.symmetry import Symmetry, order_pods
from kythera.model.system import System
from kythera.properties.engines.codec import Codec, Relayout

FIRST_PROVISIONAL = 1000


@dataclass(slots=True)
class Change:
    """A change of every value of a state: a renaming, or the passing of so many seconds.

    ``target``: the slot that the value of each slot goes to.  ``known``: per table, what becomes of each number.
    """

    number: int
    function: Callable[[Any], Any]
    target: list[int]
    known: list[dict[int, int]]


@dataclass(slots=True)
class Piece:
    """One situation of a block: the uids in it, as bits, and what each change (by its number) makes of it."""

    uids: int
    images: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Block:
    """Some fields that are looked up together."""

    slots: tuple[int, ...]
    mask: int = 0
    pieces: dict[int, Piece] = field(default_factory=dict)


class Blocks:
    """The fields of a system by the process that they belong to; the stored objects are a block of their own."""

    def __init__(self, system: System, codec: Codec) -> None:
        self.codec = codec
        home: dict[str, str] = {}
        for process in system.processes:
            for name in process.reads(process.rules):
                home.setdefault(name, process.name)
        groups: dict[str, list[int]] = {}
        for i, slot in enumerate(system.slots):
            groups.setdefault("" if slot.kind else home.get(slot.name, ""), []).append(i)
        self.blocks = [Block(tuple(slots)) for slots in groups.values()]
        self.used: list[dict[int, int]] = [{} for _ in codec.ids]  # table -> value's number -> uids as bits
        self.changes: list[Change] = []
        for block in self.blocks:
            block.mask = codec.mask(block.slots)

    def relayout(self, moved: Relayout) -> None:
        """Move what is remembered."""
        for block in self.blocks:
            block.mask = self.codec.mask(block.slots)
            block.pieces = {
                moved(key): Piece(piece.uids, {n: moved(image) for n, image in piece.images.items()})
                for key, piece in block.pieces.items()
            }

    def uids_of(self, slot: int, number: int) -> int:
        """The uids in a value of a slot, as bits of a number."""
        table = self.codec.table[slot]
        found = self.used[table].get(number)
        if found is None:
            found = 0
            for uid in uids_in(self.codec.values[table][number]):
                found |= 1 << _bit(uid)
            self.used[table][number] = found
        return found

    def piece(self, block: Block, key: int) -> Piece:
        """What is known of a block in a situation."""
        found = block.pieces.get(key)
        if found is None:
            uids = 0
            for slot in block.slots:
                uids |= self.uids_of(slot, self.codec.number(slot, key))
            found = block.pieces[key] = Piece(uids)
        return found

    def pieces(self, state: int) -> list[Piece]:
        """A state block by block."""
        found = []
        for block in self.blocks:
            key = state & block.mask
            piece = block.pieces.get(key)
            found.append(self.piece(block, key) if piece is None else piece)
        return found

    def change(self, function: Callable[[Any], Any], target: Mapping[int, int]) -> Change:
        """A new change; ``target`` names the slots whose values go elsewhere."""
        slots = range(len(self.codec.table))
        made = Change(len(self.changes), function, [target.get(i, i) for i in slots], [{} for _ in self.codec.ids])
        self.changes.append(made)
        return made

    def image(self, block: Block, key: int, change: Change) -> int:
        """What a change makes of a block in a situation."""
        piece = self.piece(block, key)
        found = piece.images.get(change.number)
        if found is not None:
            return found
        codec, new = self.codec, 0
        for slot in block.slots:
            table, number, target = codec.table[slot], codec.number(slot, key), change.target[slot]
            image = change.known[table].get(number)
            if image is None or image > codec.low[target]:
                image = codec.id(target, change.function(codec.values[table][number]))
                change.known[table][number] = image
            new |= image << codec.offset[target]
        piece.images[change.number] = new
        return new

    def apply(self, state: int, change: Change, pieces: list[Piece] | None = None) -> int:
        """A state after a change."""
        new, number = 0, change.number
        for block, piece in zip(self.blocks, self.pieces(state) if pieces is None else pieces, strict=True):
            image = piece.images.get(number)
            new |= self.image(block, state & block.mask, change) if image is None else image
        return new


class Canonical:
    """The canonical forms of the states of one system."""

    def __init__(self, symmetry: Symmetry, blocks: Blocks) -> None:
        self.symmetry = symmetry
        self.blocks = blocks
        self.codec = blocks.codec
        self.pods = [i for i in symmetry.stored if symmetry.slots[i].kind == "Pod" and symmetry.pods]
        self.ordered: dict[int, bool] = {}
        self.exchanges: list[Renaming] = [IDENTITY]  # of nodes; by their number:
        self.node_memo: dict[int, int] = {}
        self.node_mask = self.codec.mask(symmetry.node_reads)
        self.uid_memo: dict[tuple[int, int, int], Change | None] = {}
        self.stored_mask = self.codec.mask(symmetry.stored)
        self.changes: dict[Renaming, Change] = {}

    def relayout(self, moved: Relayout) -> None:
        """Move what is remembered."""
        self.node_mask = self.codec.mask(self.symmetry.node_reads)
        self.node_memo = {moved(key): value for key, value in self.node_memo.items()}
        self.stored_mask = self.codec.mask(self.symmetry.stored)
        self.uid_memo = {(moved(key), bits, exchange): value for (key, bits, exchange), value in self.uid_memo.items()}

    def in_order(self, slot: int, number: int) -> bool:
        """Whether the pods of a value of their slot are numbered in their canonical order."""
        found = self.ordered.get(number)
        if found is None:
            order = order_pods(self.codec.values[self.codec.table[slot]][number])
            found = self.ordered[number] = all(a <= b for a, b in pairwise(order))
        return found

    def order_nodes(self, key: int) -> int:
        """Which exchange of nodes is due (0: none); ``key`` is the state under ``node_mask``."""
        found = self.node_memo.get(key)
        if found is None:
            order = self.symmetry.order_nodes(self.codec.decode(key)) if self.symmetry.node_reads else IDENTITY
            if order not in self.exchanges:
                self.exchanges.append(order)
            found = self.node_memo[key] = self.exchanges.index(order)
        return found

    def plan(self, key: int, bits: int, exchange: int) -> Change | None:
        """The renaming of a state, if any: ``key`` is the state under ``stored_mask``, ``bits`` are the uids in it."""
        try:
            return self.uid_memo[key, bits, exchange]
        except KeyError:
            nodes, uids = self.exchanges[exchange], frozenset(_uids(bits))
            renaming = self.symmetry.number(self.codec.decode(key), uids, nodes)
            found = self.uid_memo[key, bits, exchange] = self.change(renaming) if renaming else None
            return found

    def change(self, renaming: Renaming) -> Change:
        """A renaming as a change of blocks."""
        found = self.changes.get(renaming)
        if found is None:
            target: dict[int, int] = {}
            slots = self.symmetry.node_slots
            for old, new in renaming.nodes.items():
                target.update(zip(slots.get(old, ()), slots.get(new, ()), strict=True))
            found = self.changes[renaming] = self.blocks.change(lambda value: rename(value, renaming), target)
        return found

    def __call__(self, state: int) -> int:
        """The canonical form of a state."""
        exchange = self.order_nodes(state & self.node_mask)
        pieces, bits = self.blocks.pieces(state), 0
        for piece in pieces:
            bits |= piece.uids
        change = self.plan(state & self.stored_mask, bits, exchange)
        return state if change is None else self.blocks.apply(state, change, pieces)


class Ageing:
    """The passing of time, on integers."""

    def __init__(self, horizons: Mapping[str, int], blocks: Blocks) -> None:
        self.horizons = horizons
        self.blocks = blocks
        self.changes: dict[int, Change] = {}

    def change(self, seconds: int) -> Change:
        """So many seconds, as a change of blocks."""
        found = self.changes.get(seconds)
        if found is None:
            found = self.changes[seconds] = self.blocks.change(lambda value: older(value, seconds, self.horizons), {})
        return found


def _bit(uid: int) -> int:
    """The bit of a uid; those just given (``PROVISIONAL``) come after all that can be in use."""
    return uid if uid < FIRST_PROVISIONAL else FIRST_PROVISIONAL + uid % 1_000_000


def _uids(bits: int) -> list[int]:
    found = []
    while bits:
        lowest = bits & -bits
        bit = lowest.bit_length() - 1
        found.append(bit if bit < FIRST_PROVISIONAL else 1_000_000 + bit - FIRST_PROVISIONAL)
        bits ^= lowest
    return found
