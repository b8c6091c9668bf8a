"""A small controller that is hosted as the real ones are, with a known answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kythera.model.api.core.cluster import ConfigMap
from kythera.model.api.meta import ObjectMeta
from kythera.model.controller import Controller, Reply, Step
from kythera.model.host import FINE, Hosted, Outbox, process
from kythera.model.request import Delete, Ref, Request
from kythera.model.rule import Process, Yields, outcome, rule
from kythera.model.slot import Slot
from kythera.model.system import System
from kythera.model.view import View


def two_keys(answers: Mapping[str, bool], careful: bool = False) -> System:
    """A controller that looks after keys in the fine granularity: each key asks until it is answered, or for ever.

    ``answers``: of each key, whether its requests are carried out, or refused for ever.  ``careful``: it looks only
    when there are no events to come, which somebody makes again and again.
    """
    names = sorted(answers)

    def keys(view: View) -> list[Ref]:
        return [Ref("ConfigMap", "default", name) for name in names]

    def reconcile(local: frozenset[str], view: View, key: Ref) -> Iterator[Step]:
        requests = () if key.name in local else (Delete(key),)
        yield Step(local, requests)

    def replied(local: frozenset[str], key: Ref, request: Request, reply: Reply) -> frozenset[str]:
        return local | {key.name} if reply.ok else local

    def handle(store: View, request: Any, **_: Any) -> tuple[View, Reply]:
        return store, Reply(200) if answers[request.ref.name] else Reply(403, "Forbidden")

    controller = Controller("asker", (ConfigMap,), (), frozenset(), keys, reconcile, replied=replied)
    hosted = Hosted(controller, handle, (), ("ConfigMap",) if careful else (), granularity=FINE, fresh=careful)
    seen, pending = "seen/asker/ConfigMap", "pending/asker/ConfigMap"
    slots = [Slot("local/asker", frozenset()), Slot("outbox/asker", Outbox())]
    processes = [process("asker", hosted, None)]
    if careful:
        one, other = ((ConfigMap(ObjectMeta(name=name)),) for name in "12")

        @rule("somebody makes an event")
        def write(seen: Any, pending: Any) -> Yields:
            """Of one or the other, in turn."""
            if not pending:
                yield outcome({"pending": (one if seen == other else other,)})

        slots += [Slot(seen, one), Slot(pending, ())]
        processes.append(Process("somebody", (write,), {"seen": seen, "pending": pending}))
    return System("two keys", tuple(slots), tuple(processes))
