"""The core engine: breadth-first over integers, each process evaluated once per local situation.

Standard library only.  ``Tables`` turns a system into memo tables: for each process, the slots that its rules read
(as a mask over the integer) lead to the integers that its outcomes add.  An outcome that leaves something to normalise
is a ``Special``: its stages, and a renaming if one is due, are looked up in tables of their own.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kythera.model.history import History
from kythera.model.normalise import uids_in
from kythera.model.request import Ref
from kythera.model.rule import FAIR, Action, Process, Wake
from kythera.model.symmetry import order_pods
from kythera.model.system import ADVERSARIAL, CLOCK, LAG_LIMIT, Stage, System
from kythera.properties.engines.codec import Codec, Outgrown
from kythera.properties.engines.result import Exploration, Finding
from kythera.properties.property import AnyProperty, Convergence, Invariant, StepInvariant

NEVER = 1 << 30


@dataclass(slots=True)
class Special:
    """An outcome that may leave something to normalise."""

    delta: int
    action: int
    stages: tuple[int, ...]
    guard: bool
    rename: bool  # certainly something to rename
    nodes: bool  # perhaps the order of nodes


@dataclass(slots=True)
class Local:
    """What a process can do in one local situation."""

    deltas: tuple[int, ...] = ()
    actions: tuple[int, ...] = ()
    specials: tuple[Special, ...] = ()
    urgent: bool = False
    wake: int = NEVER
    visits: int = 0
    failed: tuple[tuple[str, str, int, int], ...] = ()  # property, message, delta, action


Unit = tuple[str, str, str]
"""A process, one of its rules, and the named object that it works on or the kind that it learns of, if any."""


def unit_of(process: str, rule: str, parameters: tuple[tuple[str, Any], ...]) -> Unit:
    """The unit of fairness that an action belongs to."""
    for name, value in parameters:
        if name == "key" and isinstance(value, Ref) and value.name:
            return process, rule, f"{value.kind}/{value.name}"
        if name == "what":
            return process, rule, str(value)
    return process, rule, ""


class Tables:
    """The memo tables of a system, filled as they are asked."""

    def __init__(self, system: System, properties: Sequence[AnyProperty] = ()) -> None:
        self.system = system
        self.codec = Codec(system)
        self.index = dict(system.index)
        self.properties = properties
        self.actions: list[Unit] = []
        self.fair: list[bool] = []
        self.action_ids: dict[Unit, int] = {}
        self.rule_calls = 0
        self.calls: Counter[str] = Counter()
        self.misses: Counter[str] = Counter()
        on_steps = [
            p for p in properties if isinstance(p, StepInvariant) or (isinstance(p, Convergence) and p.forbidden)
        ]
        self.on_steps: list[list[StepInvariant]] = []
        self.reads: list[tuple[int, ...]] = []
        for process in system.processes:
            reads = set(process.reads)
            judges: list[StepInvariant] = []
            for prop in on_steps:
                if isinstance(prop, StepInvariant) and reads & set(prop.slots):
                    judges.append(prop)
            for judge in judges:
                reads |= set(judge.slots)
            self.reads.append(tuple(sorted(self.index[name] for name in reads)))
            self.on_steps.append(judges)
        self.stage_reads = [tuple(self.index[name] for name in stage.reads) for stage in system.stages]
        symmetry = system.symmetry
        self.node_reads = symmetry.node_reads if symmetry else ()
        self.pods = next((i for i, s in enumerate(system.slots) if s.kind == "Pod"), -1)
        self.relayout()

    def relayout(self) -> None:
        """Forget what depends on where the fields lie."""
        codec = self.codec
        self.masks = [codec.mask(reads) for reads in self.reads]
        self.locals: list[dict[int, Local]] = [{} for _ in self.reads]
        self.stage_masks = [codec.mask(reads) for reads in self.stage_reads]
        self.stage_memo: list[dict[int, tuple[int, bool, bool]]] = [{} for _ in self.stage_reads]
        self.node_mask = codec.mask(self.node_reads)
        self.node_memo: dict[int, bool] = {}
        self.renamed: dict[int, int] = {}

    def action_id(self, key: Unit, actor: str) -> int:
        """The number of a kind of action, the unit of fairness."""
        found = self.action_ids.get(key)
        if found is None:
            found = self.action_ids[key] = len(self.actions)
            self.actions.append(key)
            self.fair.append(actor in FAIR)
        return found

    def local(self, number: int, key: int) -> Local:
        """Evaluate a process in a situation that was not met before."""
        process, codec = self.system.processes[number], self.codec
        self.rule_calls += 1
        self.misses[process.name] += 1
        deltas: list[int] = []
        actions: list[int] = []
        specials: list[Special] = []
        failed: list[tuple[str, str, int, int]] = []
        urgent, wake = False, NEVER
        for rule, result in process.outcomes(lambda name: codec.value(self.index[name], key)):
            if isinstance(result, Wake):
                wake = min(wake, result.seconds)
                continue
            delta, written = 0, set()
            changes: dict[int, Any] = {}
            for name, value in process.written(result):
                i = self.index[name]
                old = codec.value(i, key)
                if value != old:
                    changes[i] = value
                    delta += (codec.id(i, value) - codec.id(i, old)) << codec.offset[i]
                    written.add(name)
            for name, amount in result.adds.items():
                i = self.index[name]
                if amount >= 1 << (codec.bits[i] - 1):
                    codec.wanted[i] = amount.bit_length() + 2
                    raise Outgrown
                delta += amount << codec.offset[i]
                written.add(name)
            if delta == 0:
                continue
            urgent = urgent or rule.actor in FAIR
            action = self.action_id(unit_of(process.name, rule.name, result.parameters), rule.actor)
            for judge in self.on_steps[number]:
                slots = [self.index[name] for name in judge.slots]
                before = tuple(codec.value(i, key) for i in slots)
                after = tuple(changes.get(i, old) for i, old in zip(slots, before, strict=True))
                message = judge.broken(before, after, Action(process.name, rule.name, result.parameters))
                if message is not None:
                    failed.append((judge.name, message, delta, action))
            special = self.special(delta, action, key, changes, frozenset(written), bool(result.adds))
            if special is None:
                deltas.append(delta)
                actions.append(action)
            else:
                specials.append(special)
        return Local(tuple(deltas), tuple(actions), tuple(specials), urgent, wake, 0, tuple(failed))

    def special(
        self, delta: int, action: int, key: int, changes: dict[int, Any], written: frozenset[str], adds: bool
    ) -> Special | None:
        """The outcome as one that needs normalising, or ``None`` if it leaves nothing to do."""
        stages = tuple(n for n, stage in enumerate(self.system.stages) if stage.triggers & written)
        rename = nodes = False
        if self.system.symmetry is not None:
            rename, nodes = self.unsettled(changes, {i: self.codec.value(i, key) for i in changes})
            nodes = nodes or any(self.index[name] in self.node_reads for name in written)
        if stages or rename or nodes or adds:
            return Special(delta, action, stages, adds, rename, nodes)
        return None

    def unsettled(self, changes: dict[int, Any], before: dict[int, Any]) -> tuple[bool, bool]:
        """Whether new values of slots certainly need a renaming, and whether nodes may have changed places."""
        rename = nodes = False
        for i, value in changes.items():
            if uids_in(value) != uids_in(before[i]):
                rename = True
            elif i == self.pods and isinstance(value, History):
                order = order_pods(value)
                rename = rename or any(a > b for a, b in zip(order, order[1:], strict=False))
            nodes = nodes or i in self.node_reads
        return rename, nodes

    def stage(self, number: int, key: int) -> tuple[int, bool, bool]:
        """A stage in a situation that was not met before: what it adds, and what it leaves to rename."""
        stage: Stage = self.system.stages[number]
        reads, codec = self.stage_reads[number], self.codec
        old = tuple(codec.value(i, key) for i in reads)
        delta, changes, before = 0, {}, {}
        for i, a, b in zip(reads, old, stage.function(old), strict=True):
            if a != b:
                delta += (codec.id(i, b) - codec.id(i, a)) << codec.offset[i]
                changes[i], before[i] = b, a
        rename, nodes = self.unsettled(changes, before) if self.system.symmetry is not None else (False, False)
        found = self.stage_memo[number][key] = (delta, rename, nodes)
        return found

    def normalised(self, state: int, special: Special) -> int:
        """The state after a special outcome, in canonical form; -1 where the run is not followed further."""
        if special.guard and state & self.codec.guard:
            for i, counter in enumerate(self.codec.counter):
                if counter and self.codec.value(i, state) > LAG_LIMIT:
                    return -1
            self.guarded = state
            raise Outgrown
        rename, nodes = special.rename, special.nodes
        for number in special.stages:
            key = state & self.stage_masks[number]
            found = self.stage_memo[number].get(key)
            if found is None:
                found = self.stage(number, key)
            state += found[0]
            rename, nodes = rename or found[1], nodes or found[2]
        if nodes and not rename and self.node_reads:
            key = state & self.node_mask
            moved = self.node_memo.get(key)
            if moved is None:
                symmetry = self.system.symmetry
                assert symmetry is not None
                moved = self.node_memo[key] = bool(symmetry.order_nodes(self.codec.decode(key)))
            rename = moved
        return self.canonical(state) if rename else state

    def canonical(self, state: int) -> int:
        """The state in its canonical form, by the way that takes everything into account."""
        symmetry = self.system.symmetry
        assert symmetry is not None
        row = self.codec.decode(state)
        renaming = symmetry.plan(row)
        return self.codec.encode(symmetry.apply(row, renaming)) if renaming else state

    def ticked(self, state: int, wake: int) -> int:
        """The state after time has passed."""
        return self.codec.encode(self.system.tick(self.codec.decode(state), wake).row)

    guarded = 0

    def successors(self, state: int) -> Iterator[tuple[int, int]]:
        """Each step out of a state: the kind of action (-1: the clock), and the state that it leads to."""
        urgent, wake = False, NEVER
        for number, mask in enumerate(self.masks):
            key = state & mask
            found = self.locals[number].get(key)
            if found is None:
                found = self.locals[number][key] = self.local(number, key)
            found.visits += 1
            urgent = urgent or found.urgent
            wake = min(wake, found.wake)
            for delta, action in zip(found.deltas, found.actions, strict=True):
                yield action, state + delta
            for special in found.specials:
                successor = self.normalised(state + special.delta, special)
                if successor >= 0:
                    yield special.action, successor
        clock = self.system.clock
        if clock is not None and wake < NEVER and (clock.regime == ADVERSARIAL or not urgent):
            yield -1, self.ticked(state, wake)


class Core:
    """An exploration in progress, and what it has seen: ``levels`` of states as integers."""

    def __init__(self, system: System, properties: Sequence[AnyProperty] = ()) -> None:
        self.system = system
        self.properties = properties
        self.tables = Tables(system, properties)
        self.result = Exploration()
        self.levels: list[list[int]] = []
        self.seen: set[int] = set()
        self.failed: set[str] = set()
        self.lagged = False
        self.fired: Counter[tuple[str, str]] = Counter()
        self.judged: dict[int, dict[int, bool]] = {}

    def rewrite(self, *more: list[int]) -> None:
        """Lay out the fields anew and rewrite every state that is kept."""
        self.settle()
        tables = self.tables
        rewrite = tables.codec.grow(tables.guarded)
        tables.guarded = 0
        for level in (*self.levels, *more):
            level[:] = [rewrite(state) for state in level]
        self.seen = {state for level in (*self.levels, *more) for state in level}
        for finding in self.result.findings:
            finding.state = rewrite(finding.state)
            if finding.successor is not None:
                finding.successor = rewrite(finding.successor)
        tables.relayout()
        self.judged = {}

    def settle(self) -> None:
        """Count what fired, before the tables that counted it are thrown away."""
        tables = self.tables
        for memo in tables.locals:
            for found in memo.values():
                if found.visits:
                    for action in found.actions:
                        self.fired[tables.actions[action][:2]] += found.visits
                    for special in found.specials:
                        self.fired[tables.actions[special.action][:2]] += found.visits
                    found.visits = 0

    def judge(self, states: Sequence[int]) -> None:
        """Evaluate the invariants on new states, once per projection."""
        codec = self.tables.codec
        for n, prop in enumerate(self.properties):
            index = [self.tables.index[name] for name in prop.slots]
            if not isinstance(prop, Invariant) and prop.applies is None:
                continue
            mask = codec.mask(index)
            judged = self.judged.setdefault(n, {})
            for state in states:
                key = state & mask
                if key in judged:
                    continue
                values = [codec.value(i, key) for i in index]
                judged[key] = True
                if prop.applies is not None and prop.name not in self.result.applied and prop.applies(*values):
                    self.result.applied.add(prop.name)
                if isinstance(prop, Invariant) and prop.name not in self.failed:
                    message = prop.broken(*values)
                    if message is not None:
                        self.failed.add(prop.name)
                        self.result.findings.append(Finding(prop.name, message, state))

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
        self.levels, self.seen = [[first]], {first}
        self.judge([first])
        frontier = self.levels[0]
        try:
            while frontier and not result.stopped:
                following: list[int] = []
                self.levels.append(following)
                at = 0
                while at < len(frontier):
                    at = self.expand(frontier, at, at + 2048, following)
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
                if following:
                    result.depth += 1
                frontier = following
                if stop_at_finding and result.findings:
                    result.stopped = "finding"
            if not self.levels[-1]:
                self.levels.pop()
        except KeyboardInterrupt:
            result.stopped = "interrupted"
        if self.lagged and not result.stopped:
            result.stopped = "lag"
        self.settle()
        result.fired = self.fired
        result.states, result.seconds = len(self.seen), time.perf_counter() - started
        result.rule_calls = tables.rule_calls
        return result

    def expand(self, frontier: list[int], at: int, end: int, following: list[int]) -> int:
        """Expand some states of a level, and give the index of the first that is not expanded yet."""
        tables, new = self.tables, []
        seen, transitions = self.seen, 0
        clock = self.system.clock
        adversarial = clock is not None and clock.regime == ADVERSARIAL
        pairs = list(zip(tables.masks, tables.locals, range(len(tables.masks)), strict=True))
        end = min(end, len(frontier))
        known = len(following)
        try:
            while at < end:
                state = frontier[at]
                urgent, wake, out = False, NEVER, []
                for mask, memo, number in pairs:
                    found = memo.get(state & mask)
                    if found is None:
                        key = state & mask
                        found = tables.local(number, key)
                        memo[key] = found
                        self.note(found)
                    urgent = urgent or found.urgent
                    if found.deltas:
                        out += [state + delta for delta in found.deltas]
                    if found.wake < wake:
                        wake = found.wake
                    for special in found.specials:
                        successor = tables.normalised(state + special.delta, special)
                        if successor >= 0:
                            out.append(successor)
                        else:
                            self.lagged = True
                    if found.failed:
                        self.report(found, state)
                if clock is not None and wake < NEVER and (adversarial or not urgent):
                    out.append(tables.ticked(state, wake))
                    self.fired[CLOCK, "advance"] += 1
                for mask, memo, _ in pairs:
                    memo[state & mask].visits += 1
                transitions += len(out)
                for successor in out:
                    if successor not in seen:
                        seen.add(successor)
                        following.append(successor)
                at += 1
        except Outgrown:
            self.result.transitions += transitions
            self.judge(following[known:])
            self.rewrite()
            return at
        self.result.transitions += transitions
        self.judge(following[known:])
        return at

    def note(self, found: Local) -> None:
        """A place for engines that build on this one."""

    def report(self, found: Local, state: int) -> None:
        """Write down the steps out of a state that break a property."""
        for name, message, delta, action in found.failed:
            if name not in self.failed:
                self.failed.add(name)
                process, rule, _ = self.tables.actions[action]
                self.result.findings.append(Finding(name, message, state, state + delta, Action(process, rule)))
