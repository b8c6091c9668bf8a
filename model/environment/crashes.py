"""Crashes: a process dies and is started again with an empty memory.

It owns: how many crashes may still happen (``budget/crash``; 0 switches it off).
It may: crash a process.  What its informers had seen is listed again, from where they stood: a cache that lags may
answer the first list of a restarted client, and what it would learn by a fresher one it may also learn by the next
step.  With staleness timeTravel, or for one component by the variant ``initial_list=any_cache``, the list may come from
an older cache than the one that it had read before (kubernetes/kubernetes#59848); Kubernetes 1.37 reads consistently.

Source: https://kubernetes.io/docs/concepts/architecture/self-healing/; client-go's first list (resourceVersion "0").
Simplifies: the restart is part of the crash, since nobody can tell a process that is down from one that is slow; the
lists of all kinds are answered by one older cache, which is the same number of changes behind for each of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kythera.model.feed import Objects, Pending
from kythera.model.host import GONE, Outbox
from kythera.model.rule import FAULT, Process, Yields, outcome, rule

Reset = Callable[[Any], Any]


@rule("{process}: it dies, and starts again knowing nothing", FAULT)
def crash(
    locals: tuple[Any, ...], outboxes: tuple[Outbox, ...], link: str, budget: int, past: tuple[Pending, ...],
    seen: tuple[Objects, ...], pending: tuple[Pending, ...], resets: tuple[Reset, ...],
) -> Yields:  # fmt: skip
    """A process loses its memory and the requests that it has not sent."""
    if budget == 0 or link == GONE:
        return
    new = tuple(reset(local) for reset, local in zip(resets, locals, strict=True))
    writes = {"locals": new, "outboxes": tuple(Outbox() for _ in outboxes), "budget": budget - 1}
    yield outcome(writes)
    for steps in range(1, max(map(len, past), default=0) + 1):
        went = [(older[-steps:], now, left) for older, now, left in zip(past, seen, pending, strict=True)]
        yield outcome(
            {
                **writes,
                "past": tuple(
                    older[: -len(back)] if back else older for older, (back, _, _) in zip(past, went, strict=True)
                ),
                "seen": tuple(back[0] if back else now for back, now, _ in went),
                "pending": tuple((*back[1:], now, *left) if back else left for back, now, left in went),
            },
            "its first list is answered by an older cache",
            back=steps,
        )


def process(
    unit: str,
    locals: tuple[str, ...],
    outboxes: tuple[str, ...],
    link: str | None,
    resets: tuple[Reset, ...],
    travelling: tuple[str, ...] = (),
) -> Process:
    """The possible crashes of one operating system process, which may host several controllers."""
    slots: dict[str, str | tuple[str, ...]] = {
        "locals": locals,
        "outboxes": outboxes,
        "budget": "budget/crash",
        **{part: tuple(f"{part}/{informer}" for informer in travelling) for part in ("past", "seen", "pending")},
    }
    constants: dict[str, Any] = {"resets": resets}
    if link is not None:
        slots["link"] = link
    else:
        constants["link"] = ""
    return Process(f"crash/{unit}", (crash,), slots, constants)
