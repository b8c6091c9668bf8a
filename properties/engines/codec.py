"""Rows as integers: the values of each slot are numbered as they are met, and the numbers packed side by side.

A row is then one exact Python integer, and a step the exclusive or with another.  Slots of one family (the kubelets of
equal nodes) share a table, so that what is on two nodes can be exchanged.  When a table outgrows its field
(``Outgrown``), the fields are laid out anew; every integer that was made of fields moves with them (``Relayout``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kythera.model.symmetry import Row
from kythera.model.system import System


class Outgrown(Exception):
    """A field has become too narrow: the row cannot be written as an integer until the fields are laid out anew."""


@dataclass(frozen=True, slots=True)
class Relayout:
    """How the bits move: those under each mask so far to the left.  It is linear: it moves differences too."""

    blocks: tuple[tuple[int, int], ...]

    def __call__(self, state: int) -> int:
        """An integer of the old layout, in the new one."""
        new = 0
        for part, shift in self.blocks:
            new |= (state & part) << shift
        return new


class Codec:
    """Tables of values and the layout of fields for one system.  What has only one value takes no bit."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.ids: list[dict[Any, int]] = []
        self.values: list[list[Any]] = []
        families: dict[str, int] = {}
        self.table: list[int] = []
        for slot in system.slots:
            at = families.setdefault(slot.family, len(self.ids))
            if at == len(self.ids):
                self.ids.append({})
                self.values.append([])
            self.table.append(at)
        self.bits = [0] * len(self.table)
        self.layout()

    def layout(self) -> None:
        """Where each field lies, from the number of its bits."""
        self.offset: list[int] = []
        at = 0
        for bits in self.bits:
            self.offset.append(at)
            at += bits
        self.width = at
        self.low = [(1 << bits) - 1 for bits in self.bits]

    def mask(self, slots: Sequence[int]) -> int:
        """The bits of some fields."""
        found = 0
        for i in slots:
            found |= self.low[i] << self.offset[i]
        return found

    def id(self, slot: int, value: Any) -> int:
        """The number of a value in its slot's table."""
        ids = self.ids[self.table[slot]]
        found = ids.get(value)
        if found is None:
            found = ids[value] = len(ids)
            self.values[self.table[slot]].append(value)
        if found > self.low[slot]:
            raise Outgrown
        return found

    def number(self, slot: int, state: int) -> int:
        """The number of a slot's value in a state."""
        return state >> self.offset[slot] & self.low[slot]

    def value(self, slot: int, state: int) -> Any:
        """The value of a slot in a state."""
        return self.values[self.table[slot]][state >> self.offset[slot] & self.low[slot]]

    def encode(self, row: Row) -> int:
        """A row as an integer."""
        state = 0
        for i, value in enumerate(row):
            state |= self.id(i, value) << self.offset[i]
        return state

    def decode(self, state: int) -> Row:
        """The row that an integer stands for."""
        return tuple(self.value(i, state) for i in range(len(self.bits)))

    def grow(self) -> Relayout:
        """Make room, with some to spare, and tell how to move what was written in the old layout."""
        old_bits, old_offset = list(self.bits), list(self.offset)
        for i, table in enumerate(self.table):
            needed = (len(self.ids[table]) - 1).bit_length()
            if needed > self.bits[i]:
                self.bits[i] = needed + (needed > 1)
        self.layout()
        blocks: list[tuple[int, int]] = []  # (mask in the old layout, shift to the left)
        for i, bits in enumerate(old_bits):
            part = ((1 << bits) - 1) << old_offset[i]
            shift = self.offset[i] - old_offset[i]
            if blocks and blocks[-1][1] == shift:
                blocks[-1] = (blocks[-1][0] | part, shift)
            elif part:
                blocks.append((part, shift))
        return Relayout(tuple(blocks))
