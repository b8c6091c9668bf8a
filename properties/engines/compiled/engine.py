"""The host of the compiled loop: it lends it arrays, answers what it asks for, and keeps levels.

What a process does in a new situation, what a stage or a renaming makes of it, is computed by the same ``Tables`` as
in the core engine, and copied into the compiled memo table.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from kythera.model.system import CLOCK
from kythera.properties.engines.canonical import FIRST_PROVISIONAL
from kythera.properties.engines.codec import Outgrown
from kythera.properties.engines.compiled import kernel
from kythera.properties.engines.compiled.arrays import CHUNK, Arrays
from kythera.properties.engines.compiled.kernel import Numbers
from kythera.properties.engines.compiled.words import States, to_ints, to_words
from kythera.properties.engines.core import Core
from kythera.properties.engines.result import Exploration

NAMED_UIDS = 48


class Compiled(Arrays):
    """An exploration that has grown large, from the point that the core engine had reached."""

    def __init__(self, core: Core) -> None:
        super().__init__(core.tables, core.judge)
        self.core = core
        at = 0
        self.bounds = [0]
        for level in core.growing:
            self.keep(to_words(level, self.k))
            at += len(level)
            self.bounds.append(at)
            level.clear()
        core.seen.clear()
        self.answered = 0

    def rewrite(self) -> None:
        """Lay out the fields anew and move everything that is kept."""
        self.move(self.core.relayout())

    # --- answers ----------------------------------------------------------------------------------------------------

    def resolve(self) -> None:
        """Answer everything that was asked for."""
        while self.answered < self.lists.counters[kernel.ENTRIES]:
            try:
                self.answer(self.answered)
            except Outgrown:
                self.rewrite()
                continue
            self.answered += 1

    def answer(self, entry: int) -> None:
        """Fill in one entry of the memo table."""
        tables, layout, k = self.tables, self.layout, self.k
        words = self.memo.entries[entry]
        key = int.from_bytes(words[:k].tobytes(), "little")
        asked, uids = int(words[k]), int(words[k + 1])
        kind, parameter = asked & 0xFFFF, asked >> 16
        asker = int(words[k + kernel.ANSWER])
        canonical = tables.canonical
        if kind < layout[kernel.FIRST_STAGE]:
            self.answer_group(entry, kind, key, asker)
            return
        first, answer = 0, 0
        if kind < layout[kernel.ORDER]:
            number = kind - int(layout[kernel.FIRST_STAGE])
            known = tables.stage_memo[number].get(key)
            delta, rename, nodes = tables.stage(number, key) if known is None else known
            first, answer = self.row(delta), rename + 2 * nodes
        elif kind == layout[kernel.ORDER]:
            assert canonical is not None
            answer = canonical.order_nodes(key)
        elif kind < layout[kernel.PLAN]:
            block = tables.blocks.blocks[kind - int(layout[kernel.FIRST_BLOCK])]
            answer = packed(tables.blocks.piece(block, key).uids)
        elif kind == layout[kernel.PLAN]:
            assert canonical is not None
            change = canonical.plan(key, unpacked(uids), parameter)
            answer = 0 if change is None else change.number + 1
        elif kind < layout[kernel.FIRST_LOOK]:
            block = tables.blocks.blocks[kind - int(layout[kernel.FIRST_IMAGE])]
            first = self.row(tables.blocks.image(block, key, tables.blocks.changes[parameter]))
            self.images += 1
            kernel.put_image(self.memo, kernel.image_key(uids, parameter), first)
            if 2 * self.images > len(self.memo.images):
                self.room()
        elif kind < layout[kernel.AGE]:
            look = self.judge.looks[kind - int(layout[kernel.FIRST_LOOK])]
            if key not in look.known:
                self.judge.one(look, key, self.state(asker))
        else:
            answer = tables.ageing.change(parameter).number
        self.memo.entries[entry, k + kernel.FIRST :] = (first, 0, answer)

    def answer_group(self, entry: int, number: int, key: int, asker: int) -> None:
        """What a group of rules can do in a situation."""
        tables = self.tables
        group = tables.groups[number]
        found = group.memo.get(key)
        if found is None:
            found = tables.local(group, key)
        if found.failed:
            self.core.report(found, self.state(asker))
        count = len(found.deltas) + len(found.specials)
        first = self.take_rows(count)
        if count:
            outcomes = [(action, -1) for action in found.actions]
            for special in found.specials:
                flags = special.rename + 2 * special.nodes
                outcomes.append((special.action, 4 * self.stage_set(special.stages) + flags))
            deltas = [*found.deltas, *(special.delta for special in found.specials)]
            self.memo.rows[first : first + count] = to_words(deltas, self.k)
            self.memo.outcomes[first : first + count] = outcomes
        self.memo.entries[entry, self.k + kernel.FIRST :] = (first, count, 2 * found.wake + found.urgent)

    def row(self, words: int) -> int:
        """A row of the memo table that holds these words."""
        first = self.take_rows(1)
        self.memo.rows[first] = to_words([words], self.k)[0]
        return first

    def state(self, number: int) -> int:
        """A state as an integer."""
        return int.from_bytes(self.store.rows[number].tobytes(), "little")

    def hosted(self, add: bool = True) -> list[tuple[int, int, int]]:
        """Carry out the steps that were left to the host; each as source, target and action."""
        tables, counters, found = self.tables, self.lists.counters, []
        at = 0
        while at < counters[kernel.SLOW]:
            source, action, wake = map(int, self.lists.slow_info[at])
            try:
                state = int.from_bytes(self.lists.slow[at].tobytes(), "little")
                if action < 0:
                    state, before = tables.ticked(state, wake), state
                    if state == before:
                        at += 1
                        continue
                    counters[kernel.TRANSITIONS] += 1
                    counters[kernel.TICKS] += 1
                else:
                    assert tables.canonical is not None
                    state = tables.canonical(state)
            except Outgrown:
                self.rewrite()
                continue
            self.room()
            found.append((source, self.number([state], add)[0], action))
            at += 1
        counters[kernel.SLOW] = 0
        return found

    def number(self, states: Sequence[int], add: bool = False) -> list[int]:
        """The numbers of some states; of an unknown one, a new number or -1."""
        numbers = np.zeros(len(states), np.int64)
        kernel.add_states(self.store, self.memo, self.lists, to_words(states, self.k), numbers, add)
        return [int(each) for each in numbers]

    # --- running ----------------------------------------------------------------------------------------------------

    def pass_over(self, todo: Numbers, add: bool, edges: bool, pause: Callable[[int], bool]) -> None:
        """Expand states; ``pause`` is called with what is left now and then, and tells whether to stop."""
        put_off: list[Numbers] = []
        at, step = 0, 256
        while at < len(todo):
            before, end = at, min(at + step, len(todo))
            at = kernel.expand(self.store, self.memo, self.lists, todo, at, end, add, edges)
            counters = self.lists.counters
            later = int(counters[kernel.LATER])
            if later:
                put_off.append(self.lists.later[:later].copy())
                counters[kernel.LATER] = 0
            step = min(2 * step, CHUNK) if later * 8 < at - before else max(step // 2, 64)
            if counters[kernel.SLOW] and not edges:
                self.hosted()
            self.resolve()
            self.room(at == before)
            left = sum(map(len, put_off))
            if pause(len(todo) - at + left):
                return
            if at == len(todo) and put_off:
                todo, put_off, at = np.concatenate(put_off), [], 0

    def run(
        self,
        at: int,
        started: float,
        seconds: float,
        max_states: int,
        progress: Callable[[Exploration, int], None] | None,
        stop_at_finding: bool,
        out_of_memory: Callable[[], bool] | None,
    ) -> None:
        """Go on from state number ``at`` of the last level but one, which is the first not expanded."""
        result, counters = self.core.result, self.lists.counters

        def pause(left: int) -> bool:
            elapsed, states = time.perf_counter() - started, int(counters[kernel.STATES])
            result.states, result.seconds = states, elapsed
            if progress is not None:
                progress(result, left)
            if elapsed > seconds:
                result.stopped = "time"
            elif states > max_states:
                result.stopped = "states"
            elif out_of_memory is not None and out_of_memory():
                result.stopped = "memory"
            return bool(result.stopped)

        first, end = self.bounds[-3] + at, self.bounds[-2]
        try:
            while not result.stopped:
                self.pass_over(np.arange(first, end), True, False, pause)
                self.bounds[-1] = states = int(counters[kernel.STATES])
                if states == end:
                    break
                result.depth += 1
                if stop_at_finding and result.findings:
                    result.stopped = "finding"
                if not result.stopped:
                    self.bounds.append(states)
                first, end = end, states
        except KeyboardInterrupt:
            result.stopped = "interrupted"
            self.bounds[-1] = int(counters[kernel.STATES])
        self.settle()

    def settle(self) -> None:
        """Hand over what was counted, and the levels."""
        core, counters = self.core, self.lists.counters
        core.result.transitions += int(counters[kernel.TRANSITIONS])
        if counters[kernel.TICKS]:
            core.fired[CLOCK, "advance"] += int(counters[kernel.TICKS])
        core.result.states = int(counters[kernel.STATES])
        counters[kernel.TRANSITIONS] = counters[kernel.TICKS] = 0
        groups, k = self.tables.groups, self.k
        visited = np.flatnonzero(self.memo.visits[: self.answered])
        kinds = self.memo.entries[visited, k].astype(np.int64)
        for key, kind, visits in zip(
            to_ints(self.memo.entries[visited, :k]), kinds.tolist(), self.memo.visits[visited].tolist(), strict=True
        ):
            groups[kind].memo[key].visits += visits
        self.memo.visits[:] = 0
        while len(self.bounds) > 2 and self.bounds[-1] == self.bounds[-2]:
            self.bounds.pop()
        core.levels = [
            States(lambda: self.store.rows, first, end)
            for first, end in zip(self.bounds, self.bounds[1:], strict=False)
        ]

    def states(self) -> States:
        """All states, by their numbers."""
        return States(lambda: self.store.rows, 0, int(self.lists.counters[kernel.STATES]))

    def edges(self, first: int = 0, end: int | None = None) -> Numbers:
        """The steps out of the states of these numbers into known ones: rows of source, target, action (-1: time)."""
        lists, counters = self.lists, self.lists.counters
        end = int(counters[kernel.STATES]) if end is None else end
        found: list[Numbers] = []
        self.lists = lists._replace(edges=np.zeros((1 << 20, 3), np.int64))
        counters[kernel.EDGES] = 0

        def pause(left: int) -> bool:
            edges = self.lists.edges[: counters[kernel.EDGES]]
            if len(edges) * 2 > len(self.lists.edges) or left == 0:
                found.append(edges.copy())
                counters[kernel.EDGES] = 0
            if counters[kernel.SLOW]:
                hosted = [step for step in self.hosted(False) if step[1] >= 0]
                found.append(np.array(hosted, np.int64).reshape(-1, 3))
            return False

        if end > first:
            self.pass_over(np.arange(first, end), False, True, pause)
        self.lists = self.lists._replace(edges=np.zeros((0, 3), np.int64))
        counters[kernel.TRANSITIONS] = counters[kernel.TICKS] = 0
        return np.concatenate(found) if found else np.zeros((0, 3), np.int64)

    def before(self, state: int) -> int | None:
        """A state of the level before that leads to a state, if that is not the first."""
        number = self.number([state])[0]
        level = int(np.searchsorted(np.array(self.bounds), number, side="right")) - 1
        if level == 0:
            return None
        for at in range(self.bounds[level - 1], self.bounds[level], 16 * CHUNK):
            edges = self.edges(at, min(at + 16 * CHUNK, self.bounds[level]))
            hits = np.flatnonzero(edges[:, 1] == number)
            if len(hits):
                return self.state(int(edges[hits[0], 0]))
        raise LookupError("no state of the level before leads to this state")


def packed(bits: int) -> int:
    """A set of uids (``Canonical``'s bits) in 63 bits, or ``kernel.TOO_MANY`` if it does not fit."""
    made = bits >> FIRST_PROVISIONAL
    low = bits & ((1 << FIRST_PROVISIONAL) - 1)
    if low >> NAMED_UIDS or made >> (63 - NAMED_UIDS):
        return int(kernel.TOO_MANY)
    return low | made << NAMED_UIDS


def unpacked(packed_bits: int) -> int:
    """The set of uids that was packed."""
    return packed_bits & ((1 << NAMED_UIDS) - 1) | packed_bits >> NAMED_UIDS << FIRST_PROVISIONAL
