"""resourceVersion-monotonic: what an informer has seen never goes back.

States of the model hold no version numbers.  What an informer has still to see is a queue, oldest first: going forward
means that what it sees after a step is what it saw before, or stood in that queue.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kythera.model.rule import Action
from kythera.properties.property import AnyProperty, StepInvariant
from kythera.properties.statement import Question, Statement


def _bind(statement: Statement, question: Question) -> Sequence[AnyProperty]:
    """With older caches a restarted client goes back, as it must: judged there only if it is asked for by name."""
    scenario = question.scenario
    if question.rung.faults.staleness == "timeTravel" and statement.name not in (scenario.properties or ()):
        return []
    found: list[AnyProperty] = []
    for slot in question.system.slots:
        if not slot.name.startswith("seen/"):
            continue
        who, _, kind = slot.name.removeprefix("seen/").rpartition("/")
        slots = (slot.name, f"pending/{who}/{kind}")
        writers = frozenset(
            process.name for process in question.system.processes if slot.name in process.reads(process.rules)
        )
        found.append(
            StepInvariant(
                **statement.words(),
                slots=slots,
                broken=_broken(who, kind),
                applies=lambda seen, pending: bool(pending),
                by=writers,
            )
        )
    return found


def _broken(who: str, kind: str) -> Callable[[tuple[Any, ...], tuple[Any, ...], Action], str | None]:
    def broken(before: tuple[Any, ...], after: tuple[Any, ...], action: Action) -> str | None:
        return went_back(who, kind, before, after) if before[0] != after[0] else None

    return broken


def went_back(who: str, kind: str, before: tuple[Any, ...], after: tuple[Any, ...]) -> str | None:
    """Whether what an informer sees after a step is neither what it saw before nor anything newer."""
    if after[0] == before[0] or after[0] in before[1]:
        return None
    return f"{who} sees a state of the kind {kind} that is older than one that it had seen already"


RESOURCE_VERSION_MONOTONIC = Statement(
    "resourceVersion-monotonic",
    "step invariant",
    "What an informer has seen of a kind never goes back to an older state.",
    "https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes; "
    "staging/src/k8s.io/client-go/tools/cache/reflector.go",
    "staleness is not timeTravel (a restarted client may read an older cache), or it is asked for by name",
    "faults.staleness=timeTravel",
    _bind,
)
