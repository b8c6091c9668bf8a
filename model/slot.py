"""Slots: the named parts of a cluster's state, each one hashable immutable value.

Rules read and write slots, engines see the ids of their values.  A slot says what an engine or the normaliser has to
know about it and nothing more.
"""

from __future__ import annotations

from typing import Any

from kythera.model.record import NodeName, Record, record


@record
class Slot(Record):
    """One part of the state.

    ``node``: set where there is one such slot for each node (then equal nodes can be exchanged).
    ``kind``: the API kind whose stored objects it holds.
    """

    name: str
    initial: Any
    node: NodeName | None = None
    kind: str = ""

    @property
    def family(self) -> str:
        """The name without its node: slots of one family hold values of one sort, told apart by node only."""
        return self.name if self.node is None else self.name.replace(f"/{self.node}", "/*")
