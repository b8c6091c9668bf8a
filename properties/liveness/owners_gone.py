"""owners-gone-dependents-gone: what nobody owns any more does not stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kythera.model.api.core.pod import Pod
from kythera.model.host import GONE
from kythera.properties.ownership import Now, Ownership, label, ownership
from kythera.properties.property import AnyProperty, Convergence
from kythera.properties.statement import Question, Statement


def _bind(statement: Statement, question: Question) -> Sequence[AnyProperty]:
    owners = ownership(question)
    if owners is None:
        return []
    linked = [node for node in question.nodes if question.has(f"link/node/{node}")]
    size = len(owners.kinds)
    return [
        Convergence(
            **statement.words(),
            slots=(*owners.slots, *(f"link/node/{node}" for node in linked)),
            missing=lambda *values: missing(owners, owners.now(values), dict(zip(linked, values[size:], strict=True))),
            applies=lambda *values: any(
                is_losing(owners, obj, now) for now in (owners.now(values),) for obj in owners.objects(now)
            ),
        )
    ]


def is_left(owners: Ownership, obj: Any, now: Now) -> bool:
    """Whether an object had owners and all of them are gone."""
    references = obj.metadata.owner_references
    return bool(references) and all(owners.is_gone(ref, obj, now) for ref in references)


def is_losing(owners: Ownership, obj: Any, now: Now) -> bool:
    """Whether an owner of an object is gone or is going."""
    for ref in obj.metadata.owner_references:
        owner = owners.owner(ref, obj, now)
        if owners.is_gone(ref, obj, now) or (owner is not None and owner.metadata.deletion_timestamp is not None):
            return True
    return False


def missing(owners: Ownership, now: Now, links: Mapping[str, str]) -> str | None:
    """Which object is left without its owners.

    One that somebody's finalizer holds may stay, and so may a pod of a lost node, which nobody can tell to have ended.
    """
    for obj in owners.objects(now):
        lost = isinstance(obj, Pod) and links.get(obj.spec.node_name or "") == GONE
        if is_left(owners, obj, now) and not obj.metadata.finalizers and not lost:
            gone = ", ".join(f"{ref.kind} {ref.name}" for ref in obj.metadata.owner_references)
            return f"{label(obj)} stays although its owner {gone} is gone"
    return None


OWNERS_GONE_DEPENDENTS_GONE = Statement(
    "owners-gone-dependents-gone",
    "convergence",
    "An object whose owners are all gone is gone in the end.",
    "https://kubernetes.io/docs/concepts/architecture/garbage-collection/#owners-dependents; "
    "https://kubernetes.io/docs/concepts/overview/working-with-objects/owners-dependents/",
    "weak fairness; nobody's finalizer holds the object; pods of nodes that are lost for good are outside",
    "garbage-collector.deletes=nothing",
    _bind,
)
