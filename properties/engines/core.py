"""The core engine: breadth-first over integers, each process evaluated once per situation.  Standard library only."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from kythera.model.rule import Action
from kythera.model.system import CLOCK, System
from kythera.properties.engines.codec import Outgrown, Relayout
from kythera.properties.engines.judging import Judge
from kythera.properties.engines.result import Exploration, Finding
from kythera.properties.engines.situations import NEVER, Local
from kythera.properties.engines.tables import Tables
from kythera.properties.property import AnyProperty

if TYPE_CHECKING:
    from kythera.properties.engines.compiled.engine import Compiled

CHUNK = 2048
"""How many states are expanded at most before the bounds are looked at."""
CALLS = 256
"""After how many calls of rules the same is done at the latest."""
SAMPLE = 2048
"""Of how many states is looked at what is worth being looked up together."""
LARGE = 50_000
"""The number of states from which on a compiled loop is worth its start."""


def compiled_available() -> bool:
    """Whether the compiled engine is there, and the packages that it needs."""
    return all(find_spec(name) is not None for name in ("numpy", "numba", "kythera.properties.engines.compiled"))


class Core:
    """An exploration in progress, and what it has seen: ``levels`` of states as integers.

    ``large``: the number of states after which the compiled engine takes over.
    """

    def __init__(self, system: System, properties: Sequence[AnyProperty] = (), large: float = LARGE) -> None:
        self.system = system
        self.tables = Tables(system, properties)
        self.result = Exploration()
        self.judge = Judge(properties, self.tables.codec, self.result)
        self.levels: Sequence[Sequence[int]] = []
        self.growing: list[list[int]] = []
        self.large = large if compiled_available() else float("inf")
        self.compiled: Compiled | None = None
        self.seen: set[int] = set()
        self.fired: Counter[tuple[str, str]] = Counter()
        self.bundle_at = 2 * SAMPLE

    def rewrite(self) -> None:
        """Lay out the fields anew and rewrite every state that is kept."""
        if self.compiled is not None:
            self.compiled.rewrite()
            return
        self.move_states(self.relayout(self.tables.codec.grow()))

    def move_states(self, moved: Relayout) -> None:
        """Rewrite every state that is kept."""
        self.seen.clear()
        for level in self.growing:
            level[:] = [moved(state) for state in level]
            self.seen.update(level)

    def relayout(self, moved: Relayout) -> Relayout:
        """Move what is remembered but the states, after the fields were laid out anew."""
        for finding in self.result.findings:
            finding.state = moved(finding.state)
            if finding.successor is not None:
                finding.successor = moved(finding.successor)
        self.tables.relayout(moved)
        self.judge.relayout(moved)
        return moved

    def settle(self) -> None:
        """Count what fired."""
        tables = self.tables
        for bundle in tables.bundles:
            for found in bundle.memo.values():
                if found.visits:
                    for action in found.actions:
                        self.fired[tables.actions[action][:2]] += found.visits
                    for special in found.specials:
                        self.fired[tables.actions[special.action][:2]] += found.visits
                    found.visits = 0
        self.result.transitions = sum(self.fired.values())
        self.result.fired = self.fired

    def run(
        self,
        seconds: float = float("inf"),
        max_states: int = 1 << 60,
        progress: Callable[[Exploration, int], None] | None = None,
        stop_at_finding: bool = False,
        out_of_memory: Callable[[], bool] | None = None,
    ) -> Exploration:
        """Explore until everything is seen or a bound is met."""
        started = time.perf_counter()
        result, tables = self.result, self.tables
        while True:
            try:
                first = tables.codec.encode(self.system.initial)
                break
            except Outgrown:
                self.rewrite()
        self.levels = self.growing = [[first]]
        self.seen = {first}
        self.judge.states([first])
        frontier = self.growing[0]
        try:
            while frontier and not result.stopped:
                following: list[int] = []
                self.growing.append(following)
                at = 0
                while at < len(frontier):
                    at = self.expand(frontier, at, at + CHUNK, following)
                    elapsed = time.perf_counter() - started
                    if progress is not None:
                        result.states, result.seconds = len(self.seen), elapsed
                        progress(result, len(frontier) - at)
                    if elapsed > seconds:
                        result.stopped = "time"
                    elif len(self.seen) > max_states:
                        result.stopped = "states"
                    elif out_of_memory is not None and out_of_memory():
                        result.stopped = "memory"
                    if result.stopped:
                        break
                    if len(self.seen) >= self.bundle_at:
                        self.bundle()
                    if len(self.seen) >= self.large:
                        return self.take_over(
                            at, started, seconds, max_states, progress, stop_at_finding, out_of_memory
                        )
                if following:
                    result.depth += 1
                frontier = following
                if stop_at_finding and result.findings:
                    result.stopped = "finding"
            if not self.growing[-1]:
                self.growing.pop()
        except KeyboardInterrupt:
            result.stopped = "interrupted"
        self.settle()
        result.states, result.seconds = len(self.seen), time.perf_counter() - started
        result.rule_calls = tables.rule_calls
        return result

    def bundle(self) -> None:
        """Look up together what few combinations occur of, going by the states seen so far."""
        self.settle()
        every = len(self.seen) // SAMPLE
        self.tables.bundle([state for level in self.growing for state in level[::every]])
        self.bundle_at *= 16

    def take_over(self, at: int, started: float, *bounds: Any) -> Exploration:
        """Go on in the compiled engine."""
        from kythera.properties.engines.compiled.engine import Compiled

        if len(self.seen) > SAMPLE:
            self.bundle()
        else:
            self.settle()
        self.tables.forget()
        self.move_states(self.relayout(self.tables.codec.pack()))
        self.compiled = Compiled(self)
        self.compiled.run(at, started, *bounds)
        self.settle()
        self.result.rule_calls = self.tables.rule_calls
        self.result.seconds = time.perf_counter() - started
        return self.result

    def expand(self, frontier: list[int], at: int, end: int, following: list[int]) -> int:
        """Expand some states of a level, and give the index of the first that is not expanded yet."""
        tables = self.tables
        seen, add, append, normalised = self.seen, self.seen.add, following.append, tables.normalised
        timed, ticks = self.system.clock is not None, 0
        bundles = [(bundle.mask, bundle.memo.get, bundle) for bundle in tables.bundles]
        end, known = min(end, len(frontier)), len(following)
        most = tables.rule_calls + CALLS
        outgrown = False
        try:
            while at < end:
                state = frontier[at]
                wait, situations = NEVER, []
                for mask, get, bundle in bundles:
                    found = get(state & mask)
                    if found is None:
                        found = bundle.memo[state & mask] = tables.bundled(bundle, state & mask)
                        if found.failed:
                            self.report(found, state)
                        if tables.rule_calls > most:
                            end = at + 1
                    situations.append(found)
                    if found.wait < wait:  # noqa: PLR1730 (a call costs more)
                        wait = found.wait
                    for delta in found.deltas:
                        successor = state ^ delta
                        if successor not in seen:
                            add(successor)
                            append(successor)
                    for special in found.specials:
                        successor = normalised(state ^ special.delta, special)
                        if successor not in seen:
                            add(successor)
                            append(successor)
                if timed and 0 <= wait < NEVER:
                    successor = tables.ticked(state, wait)
                    if successor not in seen:
                        add(successor)
                        append(successor)
                    ticks += successor != state
                for found in situations:
                    found.visits += 1
                at += 1
        except Outgrown:  # the state is expanded once more; what it led to so far is known then
            outgrown = True
        if ticks:
            self.fired[CLOCK, "advance"] += ticks
        self.judge.states(following[known:])
        if outgrown:
            self.rewrite()
        return at

    def report(self, found: Local, state: int) -> None:
        """Write down the steps out of a state that break a property."""
        for name, message, delta, action in found.failed:
            if name not in self.judge.failed:
                self.judge.failed.add(name)
                process, rule, _ = self.tables.actions[action]
                self.result.findings.append(Finding(name, message, state, state ^ delta, Action(process, rule)))
