"""The canonical form of a state, and its ageing, on integers.

The same renaming as ``Symmetry.plan`` finds and ``Symmetry.apply`` carries out, taken apart so that each part is
remembered: the order of nodes and the numbering of uids by the fields that they depend on, and what each renaming makes
of each field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from kythera.model.normalise import IDENTITY, Renaming, older, rename, uids_in
from kythera.model.symmetry import Symmetry, order_pods
from kythera.properties.engines.codec import Codec, Field, Relayout

FIRST_PROVISIONAL = 1000


@dataclass(slots=True)
class Change:
    """A change of every value of a state: a renaming, or the passing of so many seconds.

    ``target``: the field that what stands in each field goes to.  ``known``: per table of values, what becomes of each
    number.  ``images``: per field, what becomes of its bits.
    """

    number: int
    function: Callable[[Any], Any]
    target: list[Field]
    known: list[dict[int, int]]
    images: list[dict[int, int]]
    checked: bool = False  # that it leaves alone what has only one value so far


class Blocks:
    """What changes and sets of uids make of whole states: put together from what they make of each field."""

    def __init__(self, codec: Codec) -> None:
        self.codec = codec
        self.used: list[dict[int, int]] = [{} for _ in codec.ids]  # table -> value's number -> uids as bits
        self.uids: list[dict[int, int]] = [{} for _ in codec.fields]  # field -> its bits in a state -> uids as bits
        self.changes: list[Change] = []
        self.layout()

    def layout(self) -> None:
        """Which fields have more than one value, and the uids in the others."""
        self.live = [(at, field.mask) for at, field in enumerate(self.codec.fields) if field.mask]
        self.constant_uids: int | None = None

    def relayout(self, moved: Relayout) -> None:
        """Move what is remembered."""
        self.layout()
        self.uids = [{moved(key): found for key, found in known.items()} for known in self.uids]
        for change in self.changes:
            change.images = [{moved(key): moved(image) for key, image in images.items()} for images in change.images]

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

    def uids_in_field(self, at: int, key: int) -> int:
        """The uids in the field of this number, as bits."""
        found = self.uids[at].get(key)
        if found is None:
            found, field = 0, self.codec.fields[at]
            for slot, number in zip(field.slots, field.combination(key), strict=True):
                found |= self.uids_of(slot, number)
            self.uids[at][key] = found
        return found

    def uids_in_constants(self) -> int:
        """The uids in the fields that have only one value so far, as bits."""
        if self.constant_uids is None:
            self.constant_uids = 0
            for at, field in enumerate(self.codec.fields):
                if not field.mask:
                    self.constant_uids |= self.uids_in_field(at, 0)
        return self.constant_uids

    def lacks(self, state: int, uids: int) -> bool:
        """Whether any of some uids does not occur in a state."""
        uids &= ~self.uids_in_constants()
        for at, mask in self.live:
            if not uids:
                break
            found = self.uids[at].get(state & mask)
            uids &= ~(self.uids_in_field(at, state & mask) if found is None else found)
        return bool(uids)

    def uids_in_state(self, state: int) -> int:
        """The uids in a state, as bits."""
        bits, uids = self.uids_in_constants(), self.uids
        for at, mask in self.live:
            found = uids[at].get(state & mask)
            bits |= self.uids_in_field(at, state & mask) if found is None else found
        return bits

    def change(self, function: Callable[[Any], Any], target: Mapping[int, int]) -> Change:
        """A new change; ``target`` names the slots whose values go elsewhere."""
        codec = self.codec
        fields = [codec.place[target.get(field.slots[0], field.slots[0])][0] for field in codec.fields]
        images: list[dict[int, int]] = [{} for _ in fields]
        made = Change(len(self.changes), function, fields, [{} for _ in codec.ids], images)
        self.changes.append(made)
        return made

    def image(self, at: int, key: int, change: Change) -> int:
        """What a change makes of the bits of a field, by the field's number."""
        found = change.images[at].get(key)
        if found is not None:
            return found
        codec, field, target = self.codec, self.codec.fields[at], change.target[at]
        new = []
        for slot, to, number in zip(field.slots, target.slots, field.combination(key), strict=True):
            table = codec.table[slot]
            image = change.known[table].get(number)
            if image is None:
                image = change.known[table][number] = codec.id(to, change.function(codec.values[table][number]))
            new.append(image)
        found = change.images[at][key] = target.number(tuple(new)) << target.offset
        return found

    def check(self, change: Change) -> None:
        """Make room (``Outgrown``) if a change makes a second value of the only one of a field."""
        if change.checked:
            return
        for at, field in enumerate(self.codec.fields):
            if not field.mask:
                self.image(at, 0, change)
        change.checked = True

    def apply(self, state: int, change: Change) -> int:
        """A state after a change."""
        self.check(change)
        new, images = 0, change.images
        for at, mask in self.live:
            image = images[at].get(state & mask)
            new |= self.image(at, state & mask, change) if image is None else image
        return new


class Canonical:
    """The canonical forms of the states of one system."""

    def __init__(self, symmetry: Symmetry, blocks: Blocks) -> None:
        self.symmetry = symmetry
        self.blocks = blocks
        self.codec = blocks.codec
        self.pods = [i for i in symmetry.stored if symmetry.slots[i].kind == "Pod" and symmetry.pods]
        self.pods_ordered: dict[int, bool] = {}
        self.exchanges: list[Renaming] = [IDENTITY]  # of nodes; by their number:
        self.node_memo: dict[int, int] = {}
        self.marks: dict[tuple[int, int, str], Any] = {}  # by slot, number of its value, and node
        self.orders: dict[tuple[int, int, int], int] = {}  # by slot, number of its value, and exchange
        self.order_ids: dict[tuple[int, ...], int] = {}
        self.uid_memo: dict[tuple[tuple[int, ...], int, int], Change | None] = {}
        self.order_memo: dict[int, tuple[int, Change] | None] = {}
        self.changes: dict[Renaming, Change] = {}
        self.masks()

    def masks(self) -> None:
        """The bits that the order of nodes, the numbering of uids, and both depend on."""
        self.node_mask = self.codec.mask(self.symmetry.node_reads)
        self.stored_mask = self.codec.mask(self.symmetry.stored)
        self.order_mask = self.node_mask | self.stored_mask
        self.others = [(at, mask) for at, mask in self.blocks.live if not mask & self.order_mask]

    def relayout(self, moved: Relayout) -> None:
        """Move what is remembered."""
        self.masks()
        self.node_memo = {moved(key): value for key, value in self.node_memo.items()}
        self.order_memo = {moved(key): value and (moved(value[0]), value[1]) for key, value in self.order_memo.items()}

    def pods_in_order(self, slot: int, number: int) -> bool:
        """Whether the pods of a value of their slot are numbered in their canonical order."""
        found = self.pods_ordered.get(number)
        if found is None:
            order = order_pods(self.codec.values[self.codec.table[slot]][number])
            found = self.pods_ordered[number] = all(a <= b for a, b in pairwise(order))
        return found

    def order_nodes(self, key: int) -> int:
        """Which exchange of nodes is due (0: none); ``key`` is the state under ``node_mask``."""
        found = self.node_memo.get(key)
        if found is None:
            order = self.symmetry.exchange(lambda slot, node: self.mark(slot, self.codec.number(slot, key), node))
            if order not in self.exchanges:
                self.exchanges.append(order)
            found = self.node_memo[key] = self.exchanges.index(order)
        return found

    def mark(self, slot: int, number: int, node: str) -> Any:
        """What a value of a slot says about the place of a node."""
        found = self.marks.get((slot, number, node))
        if found is None:
            value = self.codec.values[self.codec.table[slot]][number]
            found = self.marks[slot, number, node] = self.symmetry.mark(slot, value, node)
        return found

    def order(self, slot: int, number: int, exchange: int) -> int:
        """The order of the uids of a value of stored objects, as a number."""
        found = self.orders.get((slot, number, exchange))
        if found is None:
            objects = self.codec.values[self.codec.table[slot]][number]
            order = self.symmetry.order(slot, objects, self.exchanges[exchange])
            found = self.orders[slot, number, exchange] = self.order_ids.setdefault(order, len(self.order_ids))
        return found

    def plan(self, key: int, bits: int, exchange: int) -> Change | None:
        """The renaming of a state, if any: ``key`` is the state under ``stored_mask``, ``bits`` are the uids in it."""
        orders = tuple([self.order(slot, self.codec.number(slot, key), exchange) for slot in self.symmetry.stored])
        try:
            return self.uid_memo[orders, bits, exchange]
        except KeyError:
            known = list(self.order_ids)
            renaming = self.symmetry.numbering(
                [known[order] for order in orders], _uids(bits), self.exchanges[exchange]
            )
            found = self.uid_memo[orders, bits, exchange] = self.change(renaming) if renaming else None
            return found

    def change(self, renaming: Renaming) -> Change:
        """A renaming as a change of fields."""
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
        change = self.plan(state & self.stored_mask, self.blocks.uids_in_state(state), exchange)
        return state if change is None else self.blocks.apply(state, change)

    def in_order(self, state: int) -> int:
        """The canonical form of a state that holds the same uids, stored and other, as one in canonical form."""
        key = state & self.order_mask
        try:
            found = self.order_memo[key]
        except KeyError:
            found = self.order_memo[key] = self.ordered(key)
        if found is None:
            return state
        new, change = found
        images = change.images
        for at, mask in self.others:
            image = images[at].get(state & mask)
            new |= self.blocks.image(at, state & mask, change) if image is None else image
        return new

    def ordered(self, key: int) -> tuple[int, Change] | None:
        """What putting pods and nodes in order makes of a state's bits under ``order_mask``, and of the others.

        No uid but those of stored objects can then need another number.
        """
        bits = 0
        for i in self.symmetry.stored:
            bits |= self.blocks.uids_of(i, self.codec.number(i, key))
        change = self.plan(key & self.stored_mask, bits, self.order_nodes(key & self.node_mask))
        if change is None:
            return None
        self.blocks.check(change)
        new = 0
        for at, mask in self.blocks.live:
            if mask & self.order_mask:
                new |= self.blocks.image(at, key & mask, change)
        return new, change


class Ageing:
    """The passing of time, on integers."""

    def __init__(self, horizons: Mapping[str, int], blocks: Blocks) -> None:
        self.horizons = horizons
        self.blocks = blocks
        self.changes: dict[int, Change] = {}

    def change(self, seconds: int) -> Change:
        """So many seconds, as a change of fields."""
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
