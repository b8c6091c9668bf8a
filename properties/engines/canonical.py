"""The canonical form of a state, on integers.

The same renaming as ``Symmetry.plan`` finds and ``Symmetry.apply`` carries out, taken apart so that each part is
remembered: the order of nodes by the bits of what it depends on, the numbering of uids by the stored objects and the
set of uids in use, and what each renaming makes of each value.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kythera.model.normalise import IDENTITY, Renaming, rename, uids_in
from kythera.model.symmetry import Symmetry
from kythera.properties.engines.codec import Codec


class Canonical:
    """The canonical forms of the states of one system; ``relayout`` when fields have moved."""

    def __init__(self, symmetry: Symmetry, codec: Codec) -> None:
        self.symmetry = symmetry
        self.codec = codec
        self.used: list[dict[int, int]] = [{} for _ in codec.ids]  # table -> value's number -> uids as bits
        self.renamers: dict[Renaming, Callable[[int], int]] = {}
        self.relayout()

    def relayout(self) -> None:
        """Forget what depends on where the fields lie."""
        codec, symmetry = self.codec, self.symmetry
        self.node_mask = codec.mask(symmetry.node_reads)
        self.node_memo: dict[int, Renaming] = {}
        self.stored_mask = codec.mask(symmetry.stored)
        self.uid_memo: dict[tuple[int, int, Renaming], Renaming] = {}
        self.renamers = {}
        self.fields = list(zip(codec.offset, codec.low, codec.table, strict=True))

    def order_nodes(self, state: int) -> Renaming:
        """How the nodes of a state are to be exchanged."""
        if not self.node_mask:
            return IDENTITY
        key = state & self.node_mask
        found = self.node_memo.get(key)
        if found is None:
            found = self.node_memo[key] = self.symmetry.order_nodes(self.codec.decode(key))
        return found

    def uids(self, state: int) -> int:
        """The uids that a state holds, as bits of a number."""
        bits, used = 0, self.used
        for offset, low, table in self.fields:
            number = state >> offset & low
            mine = used[table].get(number)
            if mine is None:
                mine = 0
                for uid in uids_in(self.codec.values[table][number]):
                    mine |= 1 << _bit(uid)
                used[table][number] = mine
            bits |= mine
        return bits

    def __call__(self, state: int) -> int:
        """The canonical form of a state."""
        nodes = self.order_nodes(state)
        bits = self.uids(state)
        key = (state & self.stored_mask, bits, nodes)
        renaming = self.uid_memo.get(key)
        if renaming is None:
            renaming = self.uid_memo[key] = self.symmetry.number(
                self.codec.decode(state & self.stored_mask), frozenset(_uids(bits)), nodes
            )
        if not renaming:
            return state
        renamer = self.renamers.get(renaming)
        if renamer is None:
            renamer = self.renamers[renaming] = self._renamer(renaming)
        return renamer(state)

    def _renamer(self, renaming: Renaming) -> Callable[[int], int]:
        """The function that carries a renaming out on states."""
        codec = self.codec
        target = list(range(len(codec.table)))
        for old, new in renaming.nodes.items():
            pairs = zip(self.symmetry.node_slots.get(old, ()), self.symmetry.node_slots.get(new, ()), strict=True)
            for source, place in pairs:
                target[source] = place
        maps: list[dict[int, int]] = [{} for _ in codec.ids]
        steps: list[tuple[int, int, dict[int, int], int, int]] = [
            (codec.offset[i], codec.low[i], maps[codec.table[i]], codec.offset[target[i]], i)
            for i in range(len(codec.table))
        ]

        def carry_out(state: int) -> int:
            new = 0
            for offset, low, known, place, i in steps:
                number = state >> offset & low
                renamed = known.get(number)
                if renamed is None:
                    value: Any = codec.values[codec.table[i]][number]
                    renamed = known[number] = codec.id(i, rename(value, renaming))
                new |= renamed << place
            return new

        return carry_out


FIRST_PROVISIONAL = 1000


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
