"""no-lost-update: nobody's update undoes a newer one that its sender had not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kythera.model.feed import changed_since, find
from kythera.model.host import Hosted
from kythera.model.record import replace
from kythera.model.request import ref_of
from kythera.model.rule import Action
from kythera.properties.property import AnyProperty, StepInvariant
from kythera.properties.reading import title
from kythera.properties.statement import Question, Statement

UNCONDITIONAL = frozenset({"Pod"})
"""Pods are written by patches and on subresources without a resourceVersion by nearly everybody."""


def _bind(statement: Statement, question: Question) -> Sequence[AnyProperty]:
    found: list[AnyProperty] = []
    for process in question.system.processes:
        hosted = process.constants.get("hosted")
        if not isinstance(hosted, Hosted):
            continue
        for kind in hosted.conditional:
            if kind in UNCONDITIONAL:
                continue
            pending = f"pending/{process.name}/{kind}"
            found.append(
                StepInvariant(
                    **statement.words(),
                    slots=(f"objects/{kind}", f"seen/{process.name}/{kind}", pending),
                    broken=_broken(process.name, kind),
                    applies=lambda objects, seen, pending: bool(pending),
                    by=frozenset({process.name}),
                )
            )
    return found


def _broken(process: str, kind: str) -> Callable[[tuple[Any, ...], tuple[Any, ...], Action], str | None]:
    def broken(before: tuple[Any, ...], after: tuple[Any, ...], action: Action) -> str | None:
        if action.process != process or before[0] == after[0] or not before[2]:
            return None
        return lost(process, kind, before, after)

    return broken


def lost(process: str, kind: str, before: tuple[Any, ...], after: tuple[Any, ...]) -> str | None:
    """Which object a process has updated although it had not seen its newest state.

    ``before`` and ``after``: the objects, what the process has seen of them, and what it has still to see.  Deleting
    an object depends on nothing that could be older.
    """
    objects, seen, pending = before
    for old in objects:
        ref = ref_of(old)
        new: Any = find(after[0], ref)
        if new is None or new == old or _same_but_deletion(old, new) or not changed_since(seen, pending, ref):
            continue
        return (
            f"{process} updates {kind} {title(old)} from a state that is older than the stored one, and is not refused"
        )
    return None


def _same_but_deletion(old: Any, new: Any) -> bool:
    meta = replace(
        new.metadata,
        deletion_timestamp=old.metadata.deletion_timestamp,
        deletion_grace_period_seconds=old.metadata.deletion_grace_period_seconds,
        generation=old.metadata.generation,
    )
    return bool(replace(new, metadata=meta) == old)


NO_LOST_UPDATE = Statement(
    "no-lost-update",
    "step invariant",
    "An update that was computed from an older state of an object is never accepted.",
    "https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions; "
    "staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go Update",
    "updates that carry a resourceVersion (patches and status updates of Pods carry none)",
    "apiserver.conflict=ignore",
    _bind,
)
