"""The arrays that the compiled loop works on: how they are made, how they grow, how they move into a new layout."""

from __future__ import annotations

from typing import Any

import numpy as np

from kythera.properties.engines.canonical import FIRST_PROVISIONAL
from kythera.properties.engines.codec import Relayout
from kythera.properties.engines.compiled import kernel
from kythera.properties.engines.compiled.kernel import Lists, Memo, Numbers, Store, Words
from kythera.properties.engines.compiled.words import to_words
from kythera.properties.engines.judging import Judge
from kythera.properties.engines.tables import Tables

CHUNK = 1 << 13
"""How many states are expanded at most before questions are answered."""
BATCH = 512
"""How many successors wait, at most, before they are added together."""
NAMED_UIDS = 48


class Arrays:
    """A store of states, a memo table and lists, for one system; ``k`` words a state."""

    def __init__(self, tables: Tables, judge: Judge) -> None:
        self.tables = tables
        self.judge = judge
        self.k = max(1, (tables.codec.width + 63) // 64)
        self.store = self.new_store(1 << 16)
        self.stage_sets: dict[tuple[int, ...], int] = {}
        self.layout = self.kinds()
        self.rows_used = self.images = 0
        self.memo = self.new_memo(1 << 14, 1 << 14)
        self.stage_set(tables.all_stages)
        self.lists = Lists(
            np.zeros((BATCH, self.k), np.uint64),
            np.zeros((BATCH, 3), np.int64),
            np.zeros((BATCH, 2), np.uint64),
            np.zeros(2 * CHUNK, np.int64),
            np.zeros((2 * CHUNK, self.k), np.uint64),
            np.zeros((2 * CHUNK, 3), np.int64),
            np.zeros((0, 3), np.int64),
            np.zeros(8, np.int64),
            np.zeros((1, self.k), np.uint64),
            np.zeros((1, self.k), np.uint64),
            np.zeros((1, self.k), np.uint64),
            np.zeros((1, self.k), np.uint64),
            np.zeros(len(tables.bundles), np.int64),
            np.zeros(len(tables.codec.fields), np.int64),
        )

    def kinds(self) -> Numbers:
        """How many of each kind of key there are, and where each kind begins."""
        tables = self.tables
        fields, looks, bundles = len(tables.codec.fields), len(self.judge.looks), len(tables.bundles)
        stages = len(tables.stage_reads)
        layout = np.zeros(16, np.int64)
        layout[kernel.BUNDLES], layout[kernel.STAGES] = bundles, stages
        layout[kernel.FIELDS], layout[kernel.LOOKS] = fields, looks
        layout[kernel.SYMMETRIC] = tables.canonical is not None
        layout[kernel.TIMED] = tables.system.clock is not None
        at = bundles
        for name, size in (
            (kernel.FIRST_STAGE, stages), (kernel.ORDER, 1), (kernel.FIRST_FIELD, fields), (kernel.PLAN, 1),
            (kernel.FIRST_IMAGE, fields), (kernel.FIRST_LOOK, looks), (kernel.AGE, 1),
        ):  # fmt: skip
            layout[name] = at
            at += size
        return layout

    def masks(self) -> Words:
        """The mask of each kind of key."""
        tables = self.tables
        fields = [field.mask for field in tables.codec.fields]
        order = tables.canonical.order_mask if tables.canonical is not None else 0
        found = [
            *(bundle.mask for bundle in tables.bundles), *tables.stage_masks, order, *fields, order, *fields,
            *(look.mask for look in self.judge.looks), 0,
        ]  # fmt: skip
        return to_words(found, self.k)

    def fields(self) -> tuple[Numbers, Numbers, Words]:
        """The last three arrays of the memo table."""
        blocks, canonical = self.tables.blocks, self.tables.canonical
        others = [at for at, _ in canonical.others] if canonical is not None else []
        return (
            np.array([at for at, _ in blocks.live], np.int64),
            np.array(others, np.int64),
            np.array([packed(blocks.uids_in_constants())], np.uint64),
        )

    def new_store(self, capacity: int) -> Store:
        """An empty store with room for so many states."""
        places = 1 << (capacity * 3 // 2).bit_length()
        return Store(np.zeros((capacity, self.k), np.uint64), np.zeros(places, np.uint64))

    def new_memo(self, entries: int, rows: int) -> Memo:
        """An empty memo table."""
        return Memo(
            np.zeros(2 * entries, np.uint32),
            np.zeros((entries, self.k + kernel.EXTRA), np.uint64),
            np.zeros(entries, np.int64),
            np.zeros((rows, self.k), np.uint64),
            np.zeros((rows, 3), np.int64),
            np.zeros((entries, 2), np.uint64),
            self.masks(),
            np.zeros((1, 1), np.int64),
            self.layout,
            *self.fields(),
        )

    def room(self, more: bool = False) -> None:
        """Make room where little is left, or (with ``more``) in any case."""
        counters = self.lists.counters
        states, entries = int(counters[kernel.STATES]), int(counters[kernel.ENTRIES])
        store, memo = self.store, self.memo
        if more or states * 10 > len(store.rows) * 9:
            rows = larger(store.rows, len(store.rows) * 8 // 5)
            places = store.places
            if len(rows) * 10 > len(places) * 7:
                places = np.zeros(2 * len(places), np.uint64)
            self.store = Store(rows, places)
            if places is not store.places:
                kernel.index_states(self.store, 0, states)
        if more or entries * 2 > len(memo.entries):
            size = 2 * len(memo.entries)
            self.memo = memo._replace(
                places=np.zeros(2 * size, np.uint32),
                entries=larger(memo.entries, size),
                visits=larger(memo.visits, size),
            )
            kernel.index_keys(self.memo, entries)
        if more:
            size = 2 * len(self.lists.fresh)
            self.lists = self.lists._replace(
                fresh=np.zeros((size, self.k), np.uint64),
                fresh_info=np.zeros((size, 3), np.int64),
                probes=np.zeros((size, 2), np.uint64),
            )
        if 2 * self.images > len(memo.images):
            self.memo = self.memo._replace(images=np.zeros((2 * len(memo.images), 2), np.uint64))
            kernel.index_images(memo.images, self.memo)

    def keep(self, rows: Words) -> None:
        """Add states that are new and have been looked at."""
        states = int(self.lists.counters[kernel.STATES])
        if states + len(rows) > len(self.store.rows):
            self.store = self.new_store(2 * (states + len(rows)))._replace(
                rows=larger(self.store.rows[:states], 2 * (states + len(rows)))
            )
            kernel.index_states(self.store, 0, states)
        self.store.rows[states : states + len(rows)] = rows
        kernel.index_states(self.store, states, states + len(rows))
        self.lists.counters[kernel.STATES] = states + len(rows)

    def take_rows(self, count: int) -> int:
        """Room for some rows of words; the number of the first."""
        first = self.rows_used
        self.rows_used += count
        if self.rows_used > len(self.memo.rows):
            size = max(2 * len(self.memo.rows), self.rows_used)
            self.memo = self.memo._replace(rows=larger(self.memo.rows, size), outcomes=larger(self.memo.outcomes, size))
        return first

    def stage_set(self, stages: tuple[int, ...]) -> int:
        """The number of some stages that are carried out one after the other."""
        found = self.stage_sets.get(stages)
        if found is None:
            found = self.stage_sets[stages] = len(self.stage_sets)
            table = np.zeros((len(self.stage_sets), int(self.layout[kernel.STAGES]) + 1), np.int64)
            for some, number in self.stage_sets.items():
                table[number, 0] = len(some)
                table[number, 1 : len(some) + 1] = some
            self.memo = self.memo._replace(stages=table)
        return found

    def move(self, moved: Relayout) -> None:
        """Move everything into a new layout."""
        k, old = max(1, (self.tables.codec.width + 63) // 64), self.k
        masks = to_words([part for part, _ in moved.blocks], old)
        shifts = np.array([shift for _, shift in moved.blocks], np.int64)
        self.k = k

        def move(rows: Words, count: int, extra: int = 0) -> Words:
            new = rows if k == old else np.zeros((len(rows), k + extra), np.uint64)
            if extra:
                new[:, k:] = rows[:, old:]
            kernel.move(rows, new, np.zeros(k, np.uint64), count, masks, shifts)
            return new

        counters, memo = self.lists.counters, self.memo
        states, entries = int(counters[kernel.STATES]), int(counters[kernel.ENTRIES])
        places = self.store.places
        places[:] = 0
        self.store = Store(move(self.store.rows, states), places)
        kernel.index_states(self.store, 0, states)
        memo.places[:] = 0
        live, others, constant = self.fields()
        self.memo = memo._replace(
            entries=move(memo.entries, entries, kernel.EXTRA), rows=move(memo.rows, self.rows_used),
            masks=self.masks(), live=live, others=others, constant=constant,
        )  # fmt: skip
        kernel.index_keys(self.memo, entries)
        state, after, scratch, found = (np.zeros((1, k), np.uint64) for _ in range(4))
        self.lists = self.lists._replace(
            slow=move(self.lists.slow, int(counters[kernel.SLOW])), fresh=move(self.lists.fresh, 0),
            state=state, after=after, scratch=scratch, found=found,
        )  # fmt: skip


def larger(old: Any, size: int) -> Any:
    """An array with more rows, the old ones first."""
    new = np.zeros((size, *old.shape[1:]), old.dtype)
    new[: len(old)] = old
    return new


def packed(bits: int) -> int:
    """A set of uids (``Canonical``'s bits) in 63 bits, or ``kernel.TOO_MANY`` if it does not fit."""
    made = bits >> FIRST_PROVISIONAL
    low = bits & ((1 << FIRST_PROVISIONAL) - 1)
    if low >> NAMED_UIDS or made >> (62 - NAMED_UIDS):
        return int(kernel.TOO_MANY)
    return low | made << NAMED_UIDS


def unpacked(packed_bits: int) -> int:
    """The set of uids that was packed."""
    return packed_bits & ((1 << NAMED_UIDS) - 1) | packed_bits >> NAMED_UIDS << FIRST_PROVISIONAL
