"""drains-complete: a drain that a user has begun ends.

Kubernetes does not promise it: a PodDisruptionBudget may forbid for ever that the last pod is evicted.  It is claimed
because the user asked for the drain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kythera.model.host import GONE
from kythera.properties.property import AnyProperty, Convergence
from kythera.properties.statement import Question, Statement


def _bind(statement: Statement, question: Question) -> Sequence[AnyProperty]:
    if not any(event.verb == "drain" for event in question.scenario.events) or not question.has("events"):
        return []
    linked = [node for node in question.nodes if question.has(f"link/node/{node}")]
    return [
        Convergence(
            **statement.words(),
            slots=("events", *(f"link/node/{node}" for node in linked)),
            missing=lambda events, *links: missing(events, dict(zip(linked, links, strict=True))),
            applies=lambda events, *links: bool(events.draining),
        )
    ]


def missing(events: Any, links: Mapping[str, str]) -> str | None:
    """Which drain is under way, of a node that is not lost: there nobody can tell that the pods have stopped."""
    for _, node in events.draining:
        if links.get(node) != GONE:
            return f"the drain of {node} does not end"
    return None


DRAINS_COMPLETE = Statement(
    "drains-complete",
    "convergence",
    "A drain that a user has begun ends: no pod is left that it waits for.",
    "https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/",
    "weak fairness; not promised by Kubernetes where a PodDisruptionBudget forbids it, claimed because a user drains; "
    "a node that is lost for good is outside",
    "apiserver.eviction=refuse",
    _bind,
)
