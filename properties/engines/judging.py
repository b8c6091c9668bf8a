"""Judging states: each property once per distinct projection to the slots that it looks at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from kythera.properties.engines.codec import Codec, Relayout
from kythera.properties.engines.result import Exploration, Finding
from kythera.properties.property import AnyProperty, Convergence, Invariant


class Look:
    """Properties that look at the same slots, or at some of them."""

    def __init__(self, slots: Sequence[int]) -> None:
        self.slots = frozenset(slots)
        self.properties: list[tuple[AnyProperty, tuple[int, ...]]] = []
        self.mask = 0
        self.known: set[int] = set()


class Judge:
    """What has been judged of the states of one exploration; it writes findings into ``result``."""

    def __init__(self, properties: Sequence[AnyProperty], codec: Codec, result: Exploration) -> None:
        self.codec = codec
        self.result = result
        self.failed: set[str] = set()
        self.looks: list[Look] = []
        index = codec.system.index
        wanted = [each for each in properties if isinstance(each, Invariant) or each.applies is not None]
        for each in sorted(wanted, key=lambda prop: -len(prop.slots)):
            slots = tuple(index[name] for name in each.slots)
            look = next((look for look in self.looks if look.slots.issuperset(slots)), None)
            if look is None:
                look = Look(slots)
                self.looks.append(look)
            look.properties.append((each, slots))
        self.masks()

    def masks(self) -> None:
        """The bits that are looked at."""
        for look in self.looks:
            look.mask = self.codec.mask(tuple(look.slots))

    def relayout(self, moved: Relayout) -> None:
        """Move what is known into a new layout."""
        for look in self.looks:
            look.known = {moved(key) for key in look.known}
        self.masks()

    def states(self, states: Iterable[int]) -> None:
        """Judge states of one level."""
        for look in self.looks:
            mask = look.mask
            fresh = {state & mask: state for state in states}
            for key in fresh.keys() - look.known:
                self.one(look, key, fresh[key])

    def one(self, look: Look, key: int, state: int) -> None:
        """Judge a projection that is new, of which ``state`` is an example."""
        look.known.add(key)
        result = self.result
        for prop, slots in look.properties:
            judged = isinstance(prop, Invariant) and prop.name not in self.failed
            chance = prop.applies is not None and prop.name not in result.applied
            excuse = prop.excuse if isinstance(prop, Convergence) and prop.name not in result.excused else None
            if not judged and not chance and excuse is None:
                continue
            values = [self.codec.value(i, key) for i in slots]
            if prop.applies is not None and chance and prop.applies(*values):
                result.applied.add(prop.name)
            if excuse is not None and (message := excuse(*values)) is not None:
                result.excused[prop.name] = message
            if isinstance(prop, Invariant) and judged:
                message = prop.broken(*values)
                if message is not None:
                    self.failed.add(prop.name)
                    result.findings.append(Finding(prop.name, message, state))
