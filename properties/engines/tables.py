"""The memo tables of a system: what each process can do, once per local situation, as integers to combine a state with.

The rules of a process that read the same slots are a *part*; a part is evaluated once per situation of these slots.
The parts of one process are looked up together (a ``Group``).  An outcome is a difference: exclusive-or-ed to a
state, it exchanges the numbers of the slots that it writes.  One that leaves something to normalise is a ``Special``:
its stages, and a renaming if one is due, are looked up in tables of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kythera.model.request import Ref
from kythera.model.rule import FAIR, Action, Process, Rule, Wake
from kythera.model.system import ADVERSARIAL, System
from kythera.properties.engines.canonical import Ageing, Blocks, Canonical
from kythera.properties.engines.codec import Codec, Relayout
from kythera.properties.property import AnyProperty, StepInvariant

NEVER = 1 << 30


@dataclass(slots=True)
class Special:
    """An outcome that may leave something to normalise."""

    delta: int
    action: int
    stages: tuple[int, ...]
    rename: bool  # perhaps uids have come, gone or changed places
    nodes: bool  # perhaps nodes have changed places


@dataclass(slots=True)
class Local:
    """What a part, or a group of parts, can do in one local situation."""

    deltas: tuple[int, ...] = ()
    actions: tuple[int, ...] = ()
    specials: tuple[Special, ...] = ()
    urgent: bool = False
    wake: int = NEVER
    visits: int = 0
    labels: tuple[Action, ...] = ()  # of the deltas, then of the specials, where a property of steps asks for them
    failed: tuple[tuple[str, str, int, int], ...] = ()  # property, message, delta, action

    def move(self, moved: Relayout) -> Local:
        """Move its differences into a new layout."""
        self.deltas = tuple(map(moved, self.deltas))
        for special in self.specials:
            special.delta = moved(special.delta)
        self.failed = tuple((name, message, moved(delta), action) for name, message, delta, action in self.failed)
        return self


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


class Part:
    """Rules of a process that read the same slots."""

    def __init__(self, process: Process, rules: tuple[Rule, ...], index: dict[str, int]) -> None:
        self.process = process
        self.rules = rules
        self.name = f"{process.name}.{'|'.join(each.name for each in rules)}"
        self.reads = tuple(sorted(index[name] for name in process.reads(rules)))
        self.known: dict[str, Any] = dict(process.constants)
        self.single: list[tuple[str, int]] = []
        self.several: list[tuple[str, tuple[int, ...]]] = []
        wanted = {name for each in rules for name in each.reads}
        for parameter, bound in process.slots.items():
            if parameter not in wanted:
                continue
            if isinstance(bound, str):
                self.single.append((parameter, index[bound]))
            else:
                self.several.append((parameter, tuple(index[name] for name in bound)))
        self.mask = 0
        self.memo: dict[int, Local] = {}


class Group:
    """The parts of a process, looked up together, and the properties that judge its steps."""

    def __init__(self, process: Process, index: dict[str, int], judges: Sequence[StepInvariant]) -> None:
        self.process = process
        rules: dict[frozenset[str], list[Rule]] = {}
        for each in process.rules:
            rules.setdefault(frozenset(process.reads((each,))), []).append(each)
        self.parts = [Part(process, tuple(some), index) for some in rules.values()]
        reads = {i for part in self.parts for i in part.reads}
        self.judges: list[tuple[StepInvariant, tuple[int, ...]]] = []
        for judge in judges:
            slots = tuple(index[name] for name in judge.slots)
            if not reads.isdisjoint(slots) and (judge.by is None or process.name in judge.by):
                self.judges.append((judge, slots))
        self.reads = tuple(sorted(reads.union(*(slots for _, slots in self.judges))))
        self.mask = 0
        self.memo: dict[int, Local] = {}


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
        self.misses: Counter[str] = Counter()
        judges = [each for each in properties if isinstance(each, StepInvariant)]
        self.groups = [Group(process, self.index, judges) for process in system.processes]
        self.stage_reads = [tuple(self.index[name] for name in stage.reads) for stage in system.stages]
        self.stage_memo: list[dict[int, tuple[int, bool, bool]]] = [{} for _ in self.stage_reads]
        self.all_stages = tuple(range(len(system.stages)))
        symmetry = system.symmetry
        self.blocks = Blocks(system, self.codec)
        self.canonical = Canonical(symmetry, self.blocks) if symmetry is not None else None
        self.ageing = Ageing(system.clock.horizons if system.clock is not None else {}, self.blocks)
        self.node_reads = frozenset(symmetry.node_reads if symmetry else ())
        self.node_mask = 0
        self.masks()

    def masks(self) -> None:
        """The bits that each table is asked by."""
        codec = self.codec
        for group in self.groups:
            group.mask = codec.mask(group.reads)
            for part in group.parts:
                part.mask = codec.mask(part.reads)
        self.stage_masks = [codec.mask(reads) for reads in self.stage_reads]
        self.node_mask = self.canonical.node_mask if self.canonical is not None else 0

    def relayout(self, moved: Relayout) -> None:
        """Move everything that is remembered into a new layout."""
        for group in self.groups:
            group.memo = {moved(key): found.move(moved) for key, found in group.memo.items()}
            for part in group.parts:
                part.memo = {moved(key): found.move(moved) for key, found in part.memo.items()}
        self.stage_memo = [
            {moved(key): (moved(delta), rename, nodes) for key, (delta, rename, nodes) in memo.items()}
            for memo in self.stage_memo
        ]
        self.blocks.relayout(moved)
        if self.canonical is not None:
            self.canonical.relayout(moved)
        self.masks()

    def action_id(self, key: Unit, actor: str) -> int:
        """The number of a kind of action, the unit of fairness."""
        found = self.action_ids.get(key)
        if found is None:
            found = self.action_ids[key] = len(self.actions)
            self.actions.append(key)
            self.fair.append(actor in FAIR)
        return found

    def local(self, group: Group, key: int) -> Local:
        """A group in a situation that was not met before, from what its parts can do in it."""
        found = []
        for part in group.parts:
            known = part.memo.get(key & part.mask)
            if known is None:
                known = part.memo[key & part.mask] = self.evaluate(part, key & part.mask)
            found.append(known)
        made = group.memo[key] = Local(
            tuple([delta for each in found for delta in each.deltas]),
            tuple([action for each in found for action in each.actions]),
            tuple([replace(special) for each in found for special in each.specials]),
            any(each.urgent for each in found),
            min([each.wake for each in found]),
        )
        if group.judges:
            made.failed = tuple(self.failures(group, key, found))
        return made

    def failures(self, group: Group, key: int, found: Sequence[Local]) -> Iterator[tuple[str, str, int, int]]:
        """What the properties of steps have against the steps of a group in a situation."""
        codec = self.codec
        for judge, slots in group.judges:
            before = tuple([codec.value(i, key) for i in slots])
            for each in found:
                steps = [*zip(each.deltas, each.actions, strict=True), *((s.delta, s.action) for s in each.specials)]
                for (delta, action), label in zip(steps, each.labels, strict=True):
                    after = tuple([codec.value(i, key ^ delta) for i in slots])
                    message = judge.broken(before, after, label)
                    if message is not None:
                        yield judge.name, message, delta, action

    def evaluate(self, part: Part, key: int) -> Local:
        """Call the rules of a part in a situation that was not met before."""
        codec, process, index = self.codec, part.process, self.index
        offset, low, table, values = codec.offset, codec.low, codec.table, codec.values
        self.rule_calls += 1
        self.misses[part.name] += 1
        deltas: list[int] = []
        actions: list[int] = []
        specials: list[Special] = []
        labels: list[Action] = []
        special_labels: list[Action] = []
        urgent, wake = False, NEVER
        known = part.known
        for parameter, i in part.single:
            known[parameter] = values[table[i]][key >> offset[i] & low[i]]
        for parameter, several in part.several:
            known[parameter] = tuple([values[table[i]][key >> offset[i] & low[i]] for i in several])
        for rule in part.rules:
            for result in rule.function(**{name: known[name] for name in rule.reads}):
                if isinstance(result, Wake):
                    wake = min(wake, result.seconds)
                    continue
                changes: dict[int, int] = {}  # slot -> the number of its new value
                delta = 0
                for name, value in process.written(result):
                    i = index[name]
                    old = key >> offset[i] & low[i]
                    if value is values[table[i]][old]:
                        continue
                    new = codec.id(i, value)
                    if new != old:
                        changes[i] = new
                        delta |= (new ^ old) << offset[i]
                if delta == 0:
                    continue
                urgent = urgent or rule.actor in FAIR
                action = self.action_id(unit_of(process.name, rule.name, result.parameters), rule.actor)
                special = self.special(delta, action, key, changes, part.reads)
                label = Action(process.name, rule.name, result.parameters)
                if special is None:
                    deltas.append(delta)
                    actions.append(action)
                    labels.append(label)
                else:
                    specials.append(special)
                    special_labels.append(label)
        return Local(tuple(deltas), tuple(actions), tuple(specials), urgent, wake, 0, (*labels, *special_labels))

    def special(
        self, delta: int, action: int, key: int, changes: dict[int, int], reads: Sequence[int]
    ) -> Special | None:
        """The outcome as one that needs normalising, or ``None`` if it leaves nothing to do."""
        written = {self.system.slots[i].name for i in changes}
        stages = tuple(n for n, stage in enumerate(self.system.stages) if stage.triggers & written)
        rename, nodes = self.unsettled(key, changes, reads)
        if stages or rename or nodes:
            return Special(delta, action, stages, rename, nodes)
        return None

    def unsettled(self, key: int, changes: dict[int, int], reads: Sequence[int]) -> tuple[bool, bool]:
        """Whether new values perhaps need a renaming, and whether nodes may have changed places.

        As long as the slots that are ``reads`` hold the same uids as before, none has come or gone.
        """
        canonical, blocks = self.canonical, self.blocks
        if canonical is None:
            return False, False
        rename = False
        kept = lost = made = 0
        for i in reads:
            old = blocks.uids_of(i, self.codec.number(i, key))
            if i in changes:
                new = blocks.uids_of(i, changes[i])
                lost |= old
                made |= new
                rename = rename or (old != new and bool(self.system.slots[i].kind))
            else:
                kept |= old
        rename = rename or (kept | lost) != (kept | made)
        for i in canonical.pods:
            if i in changes and not rename:
                rename = not canonical.in_order(i, changes[i])
        return rename, not self.node_reads.isdisjoint(changes)

    def stage(self, number: int, key: int) -> tuple[int, bool, bool]:
        """A stage in a situation that was not met before: what it changes, and what it leaves to rename."""
        reads, codec = self.stage_reads[number], self.codec
        old = tuple(codec.value(i, key) for i in reads)
        delta = 0
        changes: dict[int, int] = {}
        for i, a, b in zip(reads, old, self.system.stages[number].function(old), strict=True):
            if a is not b and a != b:
                changes[i] = codec.id(i, b)
                delta |= (changes[i] ^ codec.number(i, key)) << codec.offset[i]
        found = self.stage_memo[number][key] = (delta, *self.unsettled(key, changes, reads))
        return found

    def normalised(self, state: int, special: Special) -> int:
        """The state after a special outcome, in canonical form."""
        rename, nodes = special.rename, special.nodes
        for number in special.stages:
            key = state & self.stage_masks[number]
            found = self.stage_memo[number].get(key)
            if found is None:
                found = self.stage(number, key)
            delta, renames, moves = found
            state ^= delta
            rename, nodes = rename or renames, nodes or moves
        if rename or nodes:
            canonical = self.canonical
            assert canonical is not None
            if not rename:
                key = state & self.node_mask
                exchange = canonical.node_memo.get(key)
                if exchange == 0 or (exchange is None and canonical.order_nodes(key) == 0):
                    return state
            return canonical(state)
        return state

    def ticked(self, state: int, seconds: int) -> int:
        """The state after time has passed."""
        clock, codec = self.system.clock, self.codec
        assert clock is not None
        state = self.blocks.apply(state, self.ageing.change(seconds))
        if clock.before is not None:
            row = codec.decode(state)
            for i, (old, new) in enumerate(zip(row, clock.before(self.index, row, seconds), strict=True)):
                if old is not new:
                    state ^= (codec.number(i, state) ^ codec.id(i, new)) << codec.offset[i]
        return self.normalised(state, Special(0, -1, self.all_stages, self.canonical is not None, False))

    def successors(self, state: int) -> Iterator[tuple[int, int]]:
        """Each step out of a state: the kind of action (-1: the clock), and the state that it leads to."""
        urgent, wake = False, NEVER
        for group in self.groups:
            key = state & group.mask
            found = group.memo.get(key)
            if found is None:
                found = self.local(group, key)
            urgent = urgent or found.urgent
            wake = min(wake, found.wake)
            for delta, action in zip(found.deltas, found.actions, strict=True):
                yield action, state ^ delta
            for special in found.specials:
                yield special.action, self.normalised(state ^ special.delta, special)
        clock = self.system.clock
        if clock is not None and wake < NEVER and (clock.regime == ADVERSARIAL or not urgent):
            after = self.ticked(state, wake)
            if after != state:
                yield -1, after
