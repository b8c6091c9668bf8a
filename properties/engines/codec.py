"""Rows as integers: the values of each slot are numbered as they are met, and the numbers packed side by side.

A row is then one exact Python integer, and a step the addition of another.  Slots of one family (the kubelets of
equal nodes) share a table, so that what is on two nodes can be exchanged.   When a table
outgrows its field, the fields are laid out anew (``Outgrown``), and the engine rewrites the states that it keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kythera.model.symmetry import Row
from kythera.model.system import System

FIRST_BITS = 4


class Outgrown(Exception):
    """A field has become too narrow: the row cannot be written as an integer until the fields are laid out anew."""


class Codec:
    """Tables of values and the layout of fields for one system."""

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
        self.bits = [FIRST_BITS] * len(self.table)
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

    def grow(self) -> Callable[[int], int]:
        """Make room, with some to spare, and give the function that rewrites a state of the old layout."""
        old_bits, old_offset = list(self.bits), list(self.offset)
        for i, table in enumerate(self.table):
            needed = len(self.ids[table]).bit_length()
            if needed > self.bits[i]:
                self.bits[i] = needed + 1
        self.layout()
        blocks: list[tuple[int, int]] = []  # (mask in the old layout, shift to the left)
        for i, bits in enumerate(old_bits):
            part = ((1 << bits) - 1) << old_offset[i]
            shift = self.offset[i] - old_offset[i]
            if blocks and blocks[-1][1] == shift:
                blocks[-1] = (blocks[-1][0] | part, shift)
            else:
                blocks.append((part, shift))

        def rewrite(state: int) -> int:
            new = 0
            for part, shift in blocks:
                new |= (state & part) << shift
            return new

        return rewrite
