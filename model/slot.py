"""Slots: the named parts of a cluster's state, each one hashable immutable value.

Rules read and write slots, engines see the ids of their values.  A slot says what an engine or the normaliser has to
know about it: which API kind's objects it holds, which node it belongs to, and which slot it follows.
"""

from __future__ import annotations

from typing import Any

from kythera.model.record import NodeName, Record, record

OBJECTS = "objects"
LOCAL = "local"
INFORMER = "informer"
OUTBOX = "outbox"
ENVIRONMENT = "environment"


@record
class Slot(Record):
    """One part of the state.

    ``role`` is one of the constants above.  ``node`` is set where there is one such slot for each node (then equal
    nodes can be exchanged).  ``kind`` names the API kind of a slot of role OBJECTS or INFORMER.
    """

    name: str
    initial: Any
    role: str
    node: NodeName | None = None
    kind: str = ""
