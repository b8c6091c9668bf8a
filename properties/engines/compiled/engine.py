"""The host of the compiled loop: it lends it arrays, answers what it asks for, and keeps levels.

What a process does in a new situation, what a stage or a renaming makes of it, is computed by the same ``Tables`` as
in the core engine, and copied into the compiled memo table.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from kythera.model.system import CLOCK
from kythera.properties.engines.codec import Outgrown
from kythera.properties.engines.compiled import kernel
from kythera.properties.engines.compiled.arrays import CHUNK, Arrays, packed, unpacked
from kythera.properties.engines.compiled.kernel import Numbers
from kythera.properties.engines.compiled.words import States, to_ints, to_words
from kythera.properties.engines.core import Core
from kythera.properties.engines.result import Exploration

NO_OUTCOME = (0, 0, 0)


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
        self.made: list[tuple[int, ...]] = []  # rows of the memo table that are to be written
        self.made_images: list[tuple[int, int, int]] = []  # entry of a field, change, row

    def rewrite(self) -> None:
        """Lay out the fields anew and move everything that is kept."""
        self.move(self.core.relayout(self.tables.codec.grow()))

    # --- answers ----------------------------------------------------------------------------------------------------

    def resolve(self) -> None:
        """Answer everything that was asked for."""
        counters, k = self.lists.counters, self.k
        while self.answered < counters[kernel.ENTRIES]:
            asked = self.memo.entries[self.answered : int(counters[kernel.ENTRIES])]
            answers: list[tuple[int, int, int]] = []
            outgrown = False
            try:
                others = asked[:, (k, k + 1, k + kernel.ANSWER)].tolist()
                for key, other in zip(to_ints(asked[:, :k]), others, strict=True):
                    answers.append(self.answer(key, *other))
            except Outgrown:
                outgrown = True
            self.commit(answers)
            if outgrown:
                self.rewrite()
                k = self.k

    def commit(self, answers: list[tuple[int, int, int]]) -> None:
        """Write answers, and the rows that they speak of, into the memo table."""
        first, made = self.take_rows(len(self.made)), self.made
        if made:
            self.memo.rows[first : first + len(made)] = to_words([row for row, *_ in made], self.k)
            self.memo.outcomes[first : first + len(made)] = [outcome for _, *outcome in made]
        if answers:
            end = self.answered + len(answers)
            self.memo.entries[self.answered : end, self.k + kernel.FIRST :] = answers
            self.answered = end
        images = [(kernel.image_key(entry, change), row) for entry, change, row in self.made_images]
        self.images += len(images)
        if 2 * self.images > len(self.memo.images):
            self.room()
        if images:
            kernel.put_images(self.memo, np.array(images, np.uint64))
        self.made, self.made_images = [], []

    def row(self, *row: int) -> int:
        """The number that a row (its words as one number, and what ``outcomes`` says of it) is going to have."""
        self.made.append((row[0], *(row[1:] or NO_OUTCOME)))
        return self.rows_used + len(self.made) - 1

    def answer(self, key: int, asked: int, uids: int, asker: int) -> tuple[int, int, int]:
        """The three numbers of an entry of the memo table."""
        tables, layout = self.tables, self.layout
        kind, parameter = asked & 0xFFFF, asked >> 16
        canonical, blocks = tables.canonical, tables.blocks
        if kind < layout[kernel.FIRST_STAGE]:
            return self.answer_bundle(kind, key, asker)
        if kind < layout[kernel.ORDER]:
            number = kind - int(layout[kernel.FIRST_STAGE])
            delta, gone, rename, order = tables.stage(number, key)
            return self.row(delta), packed(gone), rename + 2 * order
        if kind == layout[kernel.ORDER]:
            assert canonical is not None
            ordered = canonical.ordered(key)
            return (0, 0, 0) if ordered is None else (self.row(ordered[0]), 0, ordered[1].number + 1)
        if kind < layout[kernel.PLAN]:
            return 0, 0, packed(blocks.uids_in_field(kind - int(layout[kernel.FIRST_FIELD]), key))
        if kind == layout[kernel.PLAN]:
            assert canonical is not None
            exchange = canonical.order_nodes(key & canonical.node_mask)
            change = canonical.plan(key & canonical.stored_mask, unpacked(uids), exchange)
            if change is None:
                return 0, 0, 0
            blocks.check(change)
            return 0, 0, change.number + 1
        if kind < layout[kernel.FIRST_LOOK]:
            image = blocks.image(kind - int(layout[kernel.FIRST_IMAGE]), key, blocks.changes[parameter])
            self.made_images.append((uids, parameter, self.row(image)))
            return self.made_images[-1][-1], 0, 0
        if kind < layout[kernel.AGE]:
            look = self.judge.looks[kind - int(layout[kernel.FIRST_LOOK])]
            if key not in look.known:
                self.judge.one(look, key, self.state(asker))
            return 0, 0, 0
        change = tables.ageing.change(parameter)
        blocks.check(change)
        return 0, 0, change.number

    def answer_bundle(self, number: int, key: int, asker: int) -> tuple[int, int, int]:
        """What the processes of a bundle can do in a situation."""
        tables = self.tables
        found = tables.bundled(tables.bundles[number], key)
        if found.failed:
            self.core.report(found, self.state(asker))
        first = self.rows_used + len(self.made)
        for delta, action in zip(found.deltas, found.actions, strict=True):
            self.row(delta, action, -1, 0)
        for special in found.specials:
            stages = 4 * self.stage_set(special.stages) + special.rename + 2 * special.order
            self.row(special.delta, special.action, stages, packed(special.gone))
        return first, len(found.deltas) + len(found.specials), found.wait + 1

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
        if counters[kernel.TICKS]:
            core.fired[CLOCK, "advance"] += int(counters[kernel.TICKS])
        core.result.states = int(counters[kernel.STATES])
        counters[kernel.TICKS] = 0
        visited = np.flatnonzero(self.memo.visits[: self.answered])
        firsts, counts = (
            self.memo.entries[visited, self.k + at].astype(np.int64) for at in (kernel.FIRST, kernel.COUNT)
        )
        rows = np.repeat(firsts - counts.cumsum() + counts, counts) + np.arange(counts.sum())
        fired = np.bincount(self.memo.outcomes[rows, 0], np.repeat(self.memo.visits[visited], counts))
        for action, times in enumerate(fired.tolist()):
            if times:
                core.fired[self.tables.actions[action][:2]] += int(times)
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
        counters[kernel.TICKS] = 0
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
