"""The memo tables of a system: what each process can do, once per local situation, as integers to combine a state with.

An outcome is a difference: exclusive-or-ed to a state, it exchanges the numbers of the fields that it writes.  One that
leaves something to normalise is a ``Special``: its stages, and a renaming if one is due, are looked up in tables of
their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from kythera.model.rule import FAIR, URGENT, Action, Wake
from kythera.model.system import ADVERSARIAL, Stage, System
from kythera.properties.engines.canonical import Ageing, Blocks, Canonical
from kythera.properties.engines.codec import Codec, Relayout
from kythera.properties.engines.situations import (
    NEVER,
    Bundle,
    Found,
    Group,
    Local,
    Part,
    Situation,
    Special,
    Unit,
    unit_of,
)
from kythera.properties.property import AnyProperty, StepInvariant

FEW = 8
"""Of so many states of a sample, at most one situation of a bundle."""


class Tables:
    """The memo tables of a system, filled as they are asked."""

    def __init__(self, system: System, properties: Sequence[AnyProperty] = ()) -> None:
        self.system = system
        self.codec = Codec(system, properties)
        self.index = dict(system.index)
        self.actions: list[Unit] = []
        self.fair: list[bool] = []
        self.action_ids: dict[Unit, int] = {}
        self.rule_calls = 0
        self.misses: Counter[str] = Counter()
        judges = [each for each in properties if isinstance(each, StepInvariant)]
        self.groups = [Group(process, self.index, judges) for process in system.processes]
        self.stage_reads = [tuple(self.index[name] for name in stage.reads) for stage in system.stages]
        self.stage_memo: list[dict[int, tuple[int, int, bool, bool]]] = [{} for _ in self.stage_reads]
        self.stage_results: list[dict[tuple[int, ...], tuple[dict[int, int], int, bool, bool]]] = [
            {} for _ in self.stage_reads
        ]
        self.adversarial = system.clock is not None and system.clock.regime == ADVERSARIAL
        self.all_stages = tuple(range(len(system.stages)))
        symmetry = system.symmetry
        self.blocks = Blocks(self.codec)
        self.canonical = Canonical(symmetry, self.blocks) if symmetry is not None else None
        self.ageing = Ageing(system.clock.horizons if system.clock is not None else {}, self.blocks)
        self.node_reads = frozenset(symmetry.node_reads if symmetry else ())
        self.bundles: list[Bundle] = []
        self.masks()
        self.bundles = [Bundle([group]) for group in self.groups]

    def masks(self) -> None:
        """The bits that each table is asked by."""
        codec = self.codec
        for group in self.groups:
            group.mask = codec.mask(group.reads)
        for bundle in self.bundles:
            bundle.layout()
        self.stage_masks = [codec.mask(reads) for reads in self.stage_reads]

    def relayout(self, moved: Relayout) -> None:
        """Move everything that is remembered into a new layout."""
        for group in self.groups:
            group.memo = {moved(key): found.move(moved) for key, found in group.memo.items()}
        for bundle in self.bundles:
            if len(bundle.groups) == 1:
                bundle.memo = bundle.groups[0].memo
            else:
                bundle.memo = {moved(key): found.move(moved) for key, found in bundle.memo.items()}
        self.stage_memo = [
            {moved(key): (moved(delta), gone, rename, order) for key, (delta, gone, rename, order) in memo.items()}
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

    def situations(self, group: Group, key: int) -> list[Situation]:
        """What each part of a group can do."""
        number, found = self.codec.number, []
        for part in group.parts:
            read = tuple([number(i, key) for i in part.reads])
            known = part.memo.get(read)
            if known is None:
                known = part.memo[read] = self.evaluate(part, read)
            found.append(known)
        return found

    def local(self, group: Group, key: int) -> Local:
        """A group in a situation that was not met before, from what its parts can do in it."""
        deltas, actions, specials, wait = [], [], [], NEVER
        situations = self.situations(group, key)
        for situation in situations:
            wait = min(wait, -1 if situation.urgent and not self.adversarial else situation.wake)
            for found in situation.found:
                delta = self.codec.difference(key, found.changes)
                if found.plain:
                    deltas.append(delta)
                    actions.append(found.action)
                else:
                    specials.append(found.of(delta))
        made = Local(tuple(deltas), tuple(actions), tuple(specials), wait)
        if group.judges:
            made.failed = tuple(self.failures(group, key, situations))
        return made

    def known(self, group: Group, key: int) -> Local:
        """What a group can do in a situation, remembered."""
        found = group.memo.get(key)
        if found is None:
            found = group.memo[key] = self.local(group, key)
        return found

    def bundled(self, bundle: Bundle, key: int) -> Local:
        """A bundle in a situation that was not met before."""
        if len(bundle.groups) == 1:
            return self.local(bundle.groups[0], key)
        found = [self.known(group, key & group.mask) for group in bundle.groups]
        return Local(
            tuple([delta for each in found for delta in each.deltas]),
            tuple([action for each in found for action in each.actions]),
            tuple([replace(special) for each in found for special in each.specials]),
            min([each.wait for each in found]),
            0,
            tuple([failure for each in found for failure in each.failed]),
        )

    def forget(self) -> None:
        """Forget what can be told again without calling a rule."""
        for group in self.groups:
            group.memo.clear()
        for bundle in self.bundles:
            bundle.memo.clear()
        for known in self.stage_memo:
            known.clear()
        if self.canonical is not None:
            self.canonical.order_memo.clear()

    def bundle(self, states: Sequence[int]) -> None:
        """Bundle the groups anew, going by some states: few situations of a bundle may occur among them.

        The visits that are counted in the bundles are lost.
        """
        most = max(len(states) // FEW, 1)
        found: list[tuple[list[Group], int]] = []
        for group in sorted(self.groups, key=lambda group: len({state & group.mask for state in states})):
            counts = [len({state & (mask | group.mask) for state in states}) for _, mask in found]
            at = min(range(len(found)), key=counts.__getitem__, default=-1)
            if at >= 0 and counts[at] <= most:
                found[at] = [*found[at][0], group], found[at][1] | group.mask
            else:
                found.append(([group], group.mask))
        self.bundles = [Bundle(groups) for groups, _ in found]

    def steps(self, group: Group, key: int) -> Iterator[tuple[Special, Action]]:
        """Each outcome of a group in a situation, with its full action."""
        for situation in self.situations(group, key):
            for found in situation.found:
                yield found.of(self.codec.difference(key, found.changes)), found.label

    def failures(self, group: Group, key: int, found: Sequence[Situation]) -> Iterator[tuple[str, str, int, int]]:
        """What the properties of steps have against the steps of a group in a situation."""
        codec = self.codec
        for judge, slots in group.judges:
            before = tuple([codec.value(i, key) for i in slots])
            for step in (step for each in found for step in each.found):
                delta = codec.difference(key, step.changes)
                after = tuple([codec.value(i, key ^ delta) for i in slots])
                message = judge.broken(before, after, step.label)
                if message is not None:
                    yield judge.name, message, delta, step.action

    def evaluate(self, part: Part, read: tuple[int, ...]) -> Situation:
        """Call the rules of a part in a situation that was not met before: the numbers of the values that it reads."""
        codec, process, index = self.codec, part.process, self.index
        table, values = codec.table, codec.values
        self.rule_calls += 1
        self.misses[part.name] += 1
        numbers = dict(zip(part.reads, read, strict=True))
        steps: list[Found] = []
        urgent, wake = False, NEVER
        known = part.known
        for parameter, i in part.single:
            known[parameter] = values[table[i]][numbers[i]]
        for parameter, several in part.several:
            known[parameter] = tuple([values[table[i]][numbers[i]] for i in several])
        for rule in part.rules:
            for result in rule.function(**{name: known[name] for name in rule.reads}):
                if isinstance(result, Wake):
                    wake = min(wake, result.seconds)
                    continue
                changes: dict[int, int] = {}
                for name, value in process.written(result):
                    i = index[name]
                    if value is values[table[i]][numbers[i]]:
                        continue
                    new = codec.id(i, value)
                    if new != numbers[i]:
                        changes[i] = new
                if not changes:
                    continue
                urgent = urgent or rule.actor in URGENT
                action = self.action_id(unit_of(process.name, rule.name, result.parameters), rule.actor)
                label = Action(process.name, rule.name, result.parameters)
                steps.append(Found(tuple(changes.items()), action, label, *self.left_over(numbers, changes)))
        return Situation(tuple(steps), urgent, wake)

    def left_over(self, read: Mapping[int, int], changes: Mapping[int, int]) -> tuple[tuple[int, ...], int, bool, bool]:
        """What an outcome leaves to normalise: stages, and whether uids or nodes perhaps need a renaming."""
        stages = []
        for n, stage in enumerate(self.system.stages):
            woken = stage.triggers.intersection([self.system.slots[i].name for i in changes])
            if any(self.concerns(stage, name, read, changes) for name in woken):
                stages.append(n)
        return tuple(stages), *self.unsettled(read, changes)

    def concerns(self, stage: Stage, name: str, read: Mapping[int, int], changes: Mapping[int, int]) -> bool:
        """Whether the change of a slot that wakes a stage can leave it anything to do."""
        if stage.concerns is None:
            return True
        i = self.index[name]
        values = self.codec.values[self.codec.table[i]]
        return stage.concerns(values[read[i]], values[changes[i]])

    def unsettled(self, read: Mapping[int, int], changes: Mapping[int, int]) -> tuple[int, bool, bool]:
        """What new values leave to rename: see ``gone``, ``rename`` and ``order`` of ``Found``.

        As long as the slots that are ``read`` hold the same uids as before, none has come or gone.
        """
        canonical, blocks = self.canonical, self.blocks
        if canonical is None:
            return 0, False, False
        rename = False
        kept = lost = made = 0
        for i, number in read.items():
            old = blocks.uids_of(i, number)
            if i in changes:
                new = blocks.uids_of(i, changes[i])
                lost |= old
                made |= new
                rename = rename or (old != new and bool(self.system.slots[i].kind))
            else:
                kept |= old
        rename = rename or bool(made & ~(kept | lost))
        order = not self.node_reads.isdisjoint(changes)
        for i in canonical.pods:
            if i in changes and not order:
                order = not canonical.pods_in_order(i, changes[i])
        return lost & ~(kept | made), rename, order

    def stage(self, number: int, key: int) -> tuple[int, int, bool, bool]:
        """What a stage changes in a situation that was not met before, and what it leaves to rename."""
        reads, codec = self.stage_reads[number], self.codec
        read = tuple([codec.number(i, key) for i in reads])
        known = self.stage_results[number].get(read)
        if known is None:
            old = tuple([codec.values[codec.table[i]][n] for i, n in zip(reads, read, strict=True)])
            changes: dict[int, int] = {}
            for i, a, b in zip(reads, old, self.system.stages[number].function(old), strict=True):
                if a is not b and a != b:
                    changes[i] = codec.id(i, b)
            known = changes, *self.unsettled(dict(zip(reads, read, strict=True)), changes)
            self.stage_results[number][read] = known
        changes, gone, rename, order = known
        return codec.difference(key, changes.items()), gone, rename, order

    def normalised(self, state: int, special: Special) -> int:
        """The state after a special outcome, in canonical form."""
        gone, rename, order = special.gone, special.rename, special.order
        for number in special.stages:
            key = state & self.stage_masks[number]
            found = self.stage_memo[number].get(key)
            if found is None:
                found = self.stage_memo[number][key] = self.stage(number, key)
            delta, lost, renames, reorders = found
            state ^= delta
            if lost:
                gone |= lost
            if renames:
                rename = True
            if reorders:
                order = True
        canonical = self.canonical
        if canonical is None:
            return state
        if rename or (gone and self.blocks.lacks(state, gone)):
            return canonical(state)
        return canonical.in_order(state) if order else state

    def ticked(self, state: int, seconds: int) -> int:
        """The state after time has passed."""
        state = self.blocks.apply(state, self.ageing.change(seconds))
        return self.normalised(state, Special(0, -1, self.all_stages, 0, self.canonical is not None, False))

    def wait(self, situations: Iterable[Local]) -> int:
        """How long nothing happens where each group is in such a situation; ``NEVER`` if time stands still."""
        wait = min([found.wait for found in situations], default=NEVER)
        return wait if self.system.clock is not None and wait >= 0 else NEVER

    def successors(self, state: int) -> Iterator[tuple[int, int]]:
        """Each step out of a state: the kind of action (-1: the clock), and the state that it leads to."""
        situations = []
        for group in self.groups:
            found = self.known(group, state & group.mask)
            situations.append(found)
            for delta, action in zip(found.deltas, found.actions, strict=True):
                yield action, state ^ delta
            for special in found.specials:
                yield special.action, self.normalised(state ^ special.delta, special)
        wait = self.wait(situations)
        if wait < NEVER:
            after = self.ticked(state, wait)
            if after != state:
                yield -1, after
