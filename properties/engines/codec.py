"""Rows as integers: what stands in each field of a row is numbered as it is met, and the numbers packed side by side.

A row is then one exact Python integer, and a step the exclusive or with another.  There are two layers of numbers.
The values of each slot are numbered; and slots that the same processes and properties look at, such as all that one
kubelet keeps to itself, share a *field*, whose number stands for the values of all of them: few combinations occur of
those that could, so that a state has far fewer bits, and no key becomes wider than what is read anyway.  The fields of
equal nodes share a table, so that what is on two nodes can be exchanged.  When a table outgrows its fields
(``Outgrown``), they are laid out anew; every integer that was made of fields moves with them (``Relayout``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kythera.model.symmetry import Row
from kythera.model.system import System
from kythera.properties.property import AnyProperty

SPARE = 2
"""How many bits a field gets beyond those that it needs, once it has more than two values."""


class Outgrown(Exception):
    """A field has become too narrow: the row cannot be written as an integer until the fields are laid out anew."""


@dataclass(frozen=True, slots=True)
class Relayout:
    """How the bits move: those under each mask so far to the left (or right).  Linear: it moves differences too."""

    blocks: tuple[tuple[int, int], ...]

    def __call__(self, state: int) -> int:
        """An integer of the old layout, in the new one."""
        new = 0
        for part, shift in self.blocks:
            new |= (state & part) << shift if shift >= 0 else (state & part) >> -shift
        return new


Combination = tuple[int, ...]
"""The numbers of the values of a field's slots."""


class Field:
    """Some slots that are numbered together.  ``numbers`` and ``combinations`` are shared by fields of equal nodes."""

    def __init__(
        self, slots: tuple[int, ...], numbers: dict[Combination, int], combinations: list[Combination]
    ) -> None:
        self.slots = slots
        self.numbers = numbers
        self.combinations = combinations
        self.bits = 0
        self.offset = 0
        self.low = 0
        self.mask = 0

    def number(self, combination: Combination) -> int:
        """The number of a combination; raises ``Outgrown`` if it does not fit in the field."""
        found = self.numbers.get(combination)
        if found is None:
            found = self.numbers[combination] = len(self.combinations)
            self.combinations.append(combination)
        if found > self.low:
            raise Outgrown
        return found

    def combination(self, state: int) -> Combination:
        """What stands in this field of a state."""
        return self.combinations[state >> self.offset & self.low]


class Codec:
    """Tables of values and the layout of fields for one system.  What has only one value takes no bit."""

    def __init__(self, system: System, properties: Sequence[AnyProperty] = ()) -> None:
        self.system = system
        self.ids: list[dict[Any, int]] = []
        self.values: list[list[Any]] = []
        families: dict[str, int] = {}
        self.table: list[int] = []  # of each slot
        for slot in system.slots:
            at = families.setdefault(slot.family, len(self.ids))
            if at == len(self.ids):
                self.ids.append({})
                self.values.append([])
            self.table.append(at)
        shared: dict[Combination, tuple[dict[Combination, int], list[Combination]]] = {}
        self.fields = [
            Field(slots, *shared.setdefault(tuple(self.table[i] for i in slots), ({}, [])))
            for slots in together(system, properties)
        ]
        self.place = {slot: (field, at) for field in self.fields for at, slot in enumerate(field.slots)}
        self.spare = SPARE
        self.layout()

    def layout(self) -> None:
        """Where each field lies, from the number of its bits."""
        at = 0
        for field in self.fields:
            field.offset = at
            field.low = (1 << field.bits) - 1
            field.mask = field.low << at
            at += field.bits
        self.width = at

    def mask(self, slots: Iterable[int]) -> int:
        """The bits of the fields that hold some slots."""
        found = 0
        for i in slots:
            found |= self.place[i][0].mask
        return found

    def id(self, slot: int, value: Any) -> int:
        """The number of a value in its slot's table."""
        ids = self.ids[self.table[slot]]
        found = ids.get(value)
        if found is None:
            found = ids[value] = len(ids)
            self.values[self.table[slot]].append(value)
        return found

    def number(self, slot: int, state: int) -> int:
        """The number of a slot's value in a state."""
        field, at = self.place[slot]
        return field.combinations[state >> field.offset & field.low][at]

    def value(self, slot: int, state: int) -> Any:
        """The value of a slot in a state."""
        return self.values[self.table[slot]][self.number(slot, state)]

    def difference(self, state: int, changes: Iterable[tuple[int, int]]) -> int:
        """What to exclusive-or to a state so that some slots hold other values, given by their numbers."""
        made: dict[Field, list[int]] = {}
        for slot, number in changes:
            field, at = self.place[slot]
            if field not in made:
                made[field] = [*field.combination(state)]
            made[field][at] = number
        delta = 0
        for field, combination in made.items():
            delta |= (field.number(tuple(combination)) ^ (state >> field.offset & field.low)) << field.offset
        return delta

    def encode(self, row: Row) -> int:
        """A row as an integer."""
        state = 0
        for field in self.fields:
            state |= field.number(tuple([self.id(i, row[i]) for i in field.slots])) << field.offset
        return state

    def decode(self, state: int) -> Row:
        """The row that an integer stands for."""
        return tuple([self.value(i, state) for i in range(len(self.table))])

    def grow(self) -> Relayout:
        """Make room, with some to spare, and tell how to move what was written in the old layout."""
        return self.resize(
            {
                field: needed + (self.spare if needed > 1 else 0)
                for field, needed in self.needed()
                if needed > field.bits
            }
        )

    def pack(self) -> Relayout:
        """Leave nothing to spare, from now on, and tell how to move what was written in the old layout."""
        self.spare = 0
        return self.resize(dict(self.needed()))

    def needed(self) -> list[tuple[Field, int]]:
        """How many bits each field needs at least."""
        return [(field, (len(field.combinations) - 1).bit_length()) for field in self.fields]

    def resize(self, bits: Mapping[Field, int]) -> Relayout:
        """Give some fields other numbers of bits."""
        old = [(field.mask, field.offset) for field in self.fields]
        for field, wanted in bits.items():
            field.bits = wanted
        self.layout()
        blocks: list[tuple[int, int]] = []  # (mask in the old layout, shift to the left)
        for field, (mask, offset) in zip(self.fields, old, strict=True):
            shift = field.offset - offset
            if blocks and blocks[-1][1] == shift:
                blocks[-1] = (blocks[-1][0] | mask, shift)
            elif mask:
                blocks.append((mask, shift))
        return Relayout(tuple(blocks))


def together(system: System, properties: Sequence[AnyProperty]) -> list[tuple[int, ...]]:
    """The slots that the same processes and the same properties look at, those of equal nodes alike."""
    readers: list[set[str]] = [set() for _ in system.slots]
    for process in system.processes:
        for name in process.reads(process.rules):
            readers[system.index[name]].add(process.name)
    for prop in properties:
        for name in prop.slots:
            readers[system.index[name]].add(f"property {prop.name}")
    groups: dict[Any, list[int]] = {}
    for i, slot in enumerate(system.slots):
        groups.setdefault((slot.node, bool(slot.kind), frozenset(readers[i])), []).append(i)
    shapes: dict[Any, set[tuple[str, ...]]] = {}
    for (node, *_), slots in groups.items():
        shapes.setdefault(node, set()).add(tuple(sorted(system.slots[i].family for i in slots)))
    alike = len({frozenset(found) for node, found in shapes.items() if node is not None}) < 2
    found: list[tuple[int, ...]] = []
    for (node, *_), slots in groups.items():
        ordered = sorted(slots, key=lambda i: (system.slots[i].family, i))
        found += [tuple(ordered)] if node is None or alike else [(i,) for i in ordered]
    return found
