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

from kythera.model.normalise import uids_in
from kythera.model.request import Ref
from kythera.model.rule import FAIR, Action, Process, Rule, Wake
from kythera.model.symmetry import order_pods
from kythera.model.system import ADVERSARIAL, CLOCK, Stage, System
from kythera.properties.engines.canonical import Canonical
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


def split(process: Process) -> list[tuple[Process, tuple[Rule, ...]]]:
    """A process by its rules: those that read the same slots are evaluated together."""
    groups: dict[tuple[str, ...], list[Rule]] = {}
    for each in process.rules:
        groups.setdefault(tuple(sorted(process.reads((each,)))), []).append(each)
    return [(process, tuple(rules)) for rules in groups.values()]


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
        self.parts = [part for process in system.processes for part in split(process)]
        for process, rules in self.parts:
            reads = set(process.reads(rules))
            judges: list[StepInvariant] = []
            for prop in on_steps:
                if isinstance(prop, StepInvariant) and reads & set(prop.slots):
                    if prop.by is None or process.name in prop.by:
                        judges.append(prop)
            for judge in judges:
                reads |= set(judge.slots)
            self.reads.append(tuple(sorted(self.index[name] for name in reads)))
            self.on_steps.append(judges)
        self.stage_reads = [tuple(self.index[name] for name in stage.reads) for stage in system.stages]
        symmetry = system.symmetry
        self.canonical = Canonical(symmetry, self.codec) if symmetry is not None else None
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
        if self.canonical is not None:
            self.canonical.relayout()

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
        (process, rules), codec = self.parts[number], self.codec
        self.rule_calls += 1
        self.misses[f"{process.name}.{'|'.join(each.name for each in rules)}"] += 1
        deltas: list[int] = []
        actions: list[int] = []
        specials: list[Special] = []
        failed: list[tuple[str, str, int, int]] = []
        urgent, wake = False, NEVER
        for rule, result in process.outcomes(rules, lambda name: codec.value(self.index[name], key)):
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
            special = self.special(delta, action, key, changes, frozenset(written), self.reads[number])
            if special is None:
                deltas.append(delta)
                actions.append(action)
            else:
                specials.append(special)
        return Local(tuple(deltas), tuple(actions), tuple(specials), urgent, wake, 0, tuple(failed))

    def special(
        self, delta: int, action: int, key: int, changes: dict[int, Any], written: frozenset[str],
        reads: tuple[int, ...],
    ) -> Special | None:
        """The outcome as one that needs normalising, or ``None`` if it leaves nothing to do."""
        stages = tuple(n for n, stage in enumerate(self.system.stages) if stage.triggers & written)
        rename = nodes = False
        if self.system.symmetry is not None:
            rename, nodes = self.unsettled(changes, {i: self.codec.value(i, key) for i in reads})
        if stages or rename or nodes:
            return Special(delta, action, stages, rename, nodes)
        return None

    def unsettled(self, changes: dict[int, Any], known: dict[int, Any]) -> tuple[bool, bool]:
        """Whether new values certainly need a renaming, and whether nodes may have changed places.

        ``known``: the values before of all slots that the process reads.  As long as these hold the same uids as
        before, none has come or gone.
        """
        before: frozenset[int] = frozenset().union(*map(uids_in, known.values()))
        after: frozenset[int] = frozenset().union(*(uids_in(changes.get(i, old)) for i, old in known.items()))
        stored = [i for i in changes if self.system.slots[i].kind]
        rename = before != after or any(uids_in(changes[i]) != uids_in(known[i]) for i in stored)
        if self.pods in changes and not rename:
            order = order_pods(changes[self.pods])
            rename = any(a > b for a, b in zip(order, order[1:], strict=False))
        return rename, any(i in self.node_reads for i in changes)

    def stage(self, number: int, key: int) -> tuple[int, bool, bool]:
        """A stage in a situation that was not met before: what it adds, and what it leaves to rename."""
        stage: Stage = self.system.stages[number]
        reads, codec = self.stage_reads[number], self.codec
        old = tuple(codec.value(i, key) for i in reads)
        delta, changes = 0, {}
        for i, a, b in zip(reads, old, stage.function(old), strict=True):
            if a != b:
                delta += (codec.id(i, b) - codec.id(i, a)) << codec.offset[i]
                changes[i] = b
        known = dict(zip(reads, old, strict=True))
        rename, nodes = self.unsettled(changes, known) if self.system.symmetry is not None else (False, False)
        found = self.stage_memo[number][key] = (delta, rename, nodes)
        return found

    def normalised(self, state: int, special: Special) -> int:
        """The state after a special outcome, in canonical form."""
        rename, nodes = special.rename, special.nodes
        for number in special.stages:
            key = state & self.stage_masks[number]
            found = self.stage_memo[number].get(key)
            if found is None:
                found = self.stage(number, key)
            state += found[0]
            rename, nodes = rename or found[1], nodes or found[2]
        canonical = self.canonical
        if canonical is not None and (rename or (nodes and canonical.order_nodes(state))):
            return canonical(state)
        return state

    def ticked(self, state: int, wake: int) -> int:
        """The state after time has passed."""
        return self.codec.encode(self.system.tick(self.codec.decode(state), wake).row)

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
                yield special.action, self.normalised(state + special.delta, special)
        clock = self.system.clock
        if clock is not None and wake < NEVER and (clock.regime == ADVERSARIAL or not urgent):
            later = self.ticked(state, wake)
            if later != state:
                yield -1, later


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
        self.fired: Counter[tuple[str, str]] = Counter()
        self.judged: dict[int, dict[int, bool]] = {}

    def rewrite(self, *more: list[int]) -> None:
        """Lay out the fields anew and rewrite every state that is kept."""
        self.settle()
        tables = self.tables
        rewrite = tables.codec.grow()
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
            if not isinstance(prop, Invariant) and (prop.applies is None or prop.name in self.result.applied):
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
                        out.append(tables.normalised(state + special.delta, special))
                    if found.failed:
                        self.report(found, state)
                if clock is not None and wake < NEVER and (adversarial or not urgent):
                    later = tables.ticked(state, wake)
                    if later != state:
                        out.append(later)
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
