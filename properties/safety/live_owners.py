"""no-live-owner-collected: the garbage collector takes nothing that has an owner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kythera.model.feed import find
from kythera.model.request import ref_of
from kythera.model.rule import Action
from kythera.properties.ownership import COLLECTOR, ORPHAN, Now, Ownership, label, ownership
from kythera.properties.property import AnyProperty, StepInvariant
from kythera.properties.statement import Question, Statement


def _bind(statement: Statement, question: Question) -> Sequence[AnyProperty]:
    owners = ownership(question)
    if owners is None:
        return []

    def broken(before: tuple[Any, ...], after: tuple[Any, ...], action: Action) -> str | None:
        if action.process != COLLECTOR:
            return None
        return collected(owners, owners.now(before), owners.now(after))

    return [
        StepInvariant(
            **statement.words(),
            slots=owners.slots,
            broken=broken,
            applies=lambda *values: any(obj.metadata.owner_references for obj in owners.objects(owners.now(values))),
            by=frozenset({COLLECTOR}),
        )
    ]


def collected(owners: Ownership, before: Now, after: Now) -> str | None:
    """Which object that has an owner the garbage collector deletes in a step.

    An owner that is being deleted doesn't count as one, unless its dependents are to stay.
    """
    for obj in owners.objects(before):
        new: Any = find(after[type(obj).__name__], ref_of(obj))
        if obj.metadata.deletion_timestamp is not None or (new is not None and new.metadata.deletion_timestamp is None):
            continue
        if not obj.metadata.owner_references:
            return f"the garbage collector deletes {label(obj)}, which nobody owns"
        for ref in obj.metadata.owner_references:
            owner = owners.owner(ref, obj, before)
            if owner is not None and (owner.metadata.deletion_timestamp is None or ORPHAN in owner.metadata.finalizers):
                return f"the garbage collector deletes {label(obj)} although its owner {label(owner)} is there"
            if owner is None and not owners.is_gone(ref, obj, before):
                return f"the garbage collector deletes {label(obj)} without knowing of its owner {ref.kind} {ref.name}"
    return None


NO_LIVE_OWNER_COLLECTED = Statement(
    "no-live-owner-collected",
    "step invariant",
    "The garbage collector deletes an object only if each of its owners is gone, or is being deleted with its "
    "dependents.",
    "https://kubernetes.io/docs/concepts/architecture/garbage-collection/#owners-dependents; "
    "pkg/controller/garbagecollector/garbagecollector.go attemptToDeleteItem; kubernetes/kubernetes#65200",
    "always",
    "garbage-collector.absent_owner_cache=uid",
    _bind,
)
