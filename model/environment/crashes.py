"""Crashes: a process dies and is started again with an empty memory.

It owns: how many crashes may still happen (``budget/crash``; 0 switches it off).
It may: crash a process.  What its informers had seen is listed again, from where they stood: a cache that lags may
answer the first list of a restarted client, and what it would learn by a fresher one it may also learn by the next
step.

Source: https://kubernetes.io/docs/concepts/architecture/self-healing/; client-go's first list (resourceVersion "0").
Simplifies: the restart is part of the crash, since nobody can tell a process that is down from one that is slow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kythera.model.host import GONE, Outbox
from kythera.model.rule import FAULT, Process, Yields, outcome, rule

Reset = Callable[[Any], Any]


@rule("{process}: it dies, and starts again knowing nothing", FAULT)
def crash(
    locals: tuple[Any, ...], outboxes: tuple[Outbox, ...], link: str, budget: int, resets: tuple[Reset, ...]
) -> Yields:
    """A process loses its memory and the requests that it has not sent."""
    if budget == 0 or link == GONE:
        return
    new = tuple(reset(local) for reset, local in zip(resets, locals, strict=True))
    yield outcome({"locals": new, "outboxes": tuple(Outbox() for _ in outboxes), "budget": budget - 1})


def process(
    unit: str, locals: tuple[str, ...], outboxes: tuple[str, ...], link: str | None, resets: tuple[Reset, ...]
) -> Process:
    """The possible crashes of one operating system process, which may host several controllers."""
    slots: dict[str, str | tuple[str, ...]] = {"locals": locals, "outboxes": outboxes, "budget": "budget/crash"}
    constants: dict[str, Any] = {"resets": resets}
    if link is not None:
        slots["link"] = link
    else:
        constants["link"] = ""
    return Process(f"crash/{unit}", (crash,), slots, constants)
