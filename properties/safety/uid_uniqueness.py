"""uid-uniqueness: no two objects have one identity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kythera.model.feed import Objects
from kythera.properties.property import AnyProperty, Invariant
from kythera.properties.reading import makes_pods, title
from kythera.properties.statement import Question, Statement

MADE = ("Pod", "ReplicaSet", "EndpointSlice")
"""The kinds of which components make objects: where a uid could be given twice."""


def _bind(statement: Statement, question: Question) -> Sequence[AnyProperty]:
    if not makes_pods(question):
        return []
    kinds = [kind for kind in MADE if question.has(f"objects/{kind}")]
    groups = [(kind,) for kind in kinds] + [("Pod", kind) for kind in kinds if kind != "Pod"]
    return [
        Invariant(
            **statement.words(),
            slots=tuple(f"objects/{kind}" for kind in group),
            broken=broken,
            applies=lambda *kinds: any(kinds),
        )
        for group in groups
    ]


def broken(*kinds: Objects) -> str | None:
    """Which two stored objects have the same uid."""
    holders: dict[int, Any] = {}
    for objects in kinds:
        for obj in objects:
            uid = obj.metadata.uid  # type: ignore[attr-defined]
            if uid in holders:
                first = holders[uid]
                return f"{type(first).__name__} {title(first)} and {type(obj).__name__} {title(obj)} have one uid"
            holders[uid] = obj
    return None


UID_UNIQUENESS = Statement(
    "uid-uniqueness",
    "invariant",
    "Two stored objects never have the same uid.",
    "https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#uids",
    "always",
    "apiserver.uid=reuse",
    _bind,
)
