"""What each step out of a state renames: the exchange of nodes and the new uids that make its canonical form.

It is told from the memo tables, and only asked inside of the few components where it matters.
"""

from __future__ import annotations

from collections.abc import Iterator

from kythera.model.normalise import IDENTITY, Renaming
from kythera.properties.engines.canonical import Change
from kythera.properties.engines.core import Core
from kythera.properties.engines.situations import NEVER, Special


class Renamings:
    """The renamings of the steps of an exploration."""

    def __init__(self, core: Core) -> None:
        self.tables = core.tables
        self.known: dict[int, Renaming] = {}

    def steps(self, state: int) -> Iterator[tuple[int, int, Renaming]]:
        """Each step out of a state: its action, where it leads, and what it renames."""
        tables = self.tables
        if tables.canonical is None:
            for action, there in tables.successors(state):
                yield action, there, IDENTITY
            return
        for (action, there), renaming in zip(tables.successors(state), self._each(state), strict=False):
            yield action, there, renaming

    def _each(self, state: int) -> Iterator[Renaming]:
        """The renaming of each step, in the order of ``Tables.successors``, which is one step ahead."""
        tables, situations = self.tables, []
        for group in tables.groups:
            found = tables.known(group, state & group.mask)
            situations.append(found)
            yield from [IDENTITY] * len(found.deltas)
            for special in found.specials:
                yield self._one(state ^ special.delta, special)
        wait = tables.wait(situations)
        if wait < NEVER:
            yield tables.system.tick(tables.codec.decode(state), wait).renaming

    def _one(self, state: int, special: Special) -> Renaming:
        """What an outcome renames, once its stages are carried out."""
        tables, canonical = self.tables, self.tables.canonical
        assert canonical is not None
        due = special.rename or special.order or special.gone > 0
        for number in special.stages:
            key = state & tables.stage_masks[number]
            delta, *left = tables.stage_memo[number].get(key) or tables.stage(number, key)
            state ^= delta
            due = due or any(left)
        if not due:
            return IDENTITY
        exchange = canonical.order_nodes(state & canonical.node_mask)
        uids = canonical.blocks.uids_in_state(state)
        change = canonical.plan(state & canonical.stored_mask, uids, exchange)
        return IDENTITY if change is None else self._of(change)

    def _of(self, change: Change) -> Renaming:
        """The renaming that a change of fields stands for."""
        if change.number not in self.known:
            assert self.tables.canonical is not None
            self.known = {each.number: renaming for renaming, each in self.tables.canonical.changes.items()}
        return self.known[change.number]
