"""replicas-converge: each ReplicaSet gets, and keeps, the pods that it asks for."""

from __future__ import annotations

from collections.abc import Sequence

from kythera.model.api.apps import ReplicaSet
from kythera.model.api.core.pod import Pod
from kythera.model.api.pods import controller_of, is_active
from kythera.model.feed import Objects
from kythera.properties.property import AnyProperty, Convergence
from kythera.properties.statement import Question, Statement, among


def _bind(statement: Statement, question: Question) -> Sequence[AnyProperty]:
    if not question.runs("replicaset"):
        return []
    return [
        Convergence(
            **statement.words(),
            slots=("objects/ReplicaSet", "objects/Pod"),
            missing=missing,
            applies=lambda sets, pods: any(each.spec.replicas for each in among(sets, ReplicaSet)),
        )
    ]


def missing(sets: Objects, pods: Objects) -> str | None:
    """Which ReplicaSet has not as many active pods as it asks for."""
    active: dict[int | None, int] = {}
    for pod in among(pods, Pod):
        owner = controller_of(pod)
        if owner is not None and is_active(pod):
            active[owner.uid] = active.get(owner.uid, 0) + 1
    for each in among(sets, ReplicaSet):
        wanted = 1 if each.spec.replicas is None else each.spec.replicas
        has = active.get(each.metadata.uid, 0)
        if has != wanted and each.metadata.deletion_timestamp is None:
            return f"ReplicaSet {each.metadata.name} asks for {wanted} pods and has {has}"
    return None


REPLICAS_CONVERGE = Statement(
    "replicas-converge",
    "convergence",
    "Once nothing is changed from outside any more, each ReplicaSet has exactly the pods that it asks for, for ever.",
    "https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/",
    "weak fairness",
    "replicaset.creates=nothing",
    _bind,
)
