"""node-failure-heals: pods of a lost node run elsewhere in the end."""

from __future__ import annotations

from collections.abc import Sequence

from kythera.model.api.apps import ReplicaSet
from kythera.model.api.core.pod import Pod
from kythera.model.api.core.scheduling import Taint
from kythera.model.api.pods import is_active
from kythera.model.feed import Objects
from kythera.properties.liveness import placement
from kythera.properties.liveness.placement import Situation, could_be_placed, fits_now, lacks_something, situation
from kythera.properties.property import AnyProperty, Convergence
from kythera.properties.reading import pods_of, wanted_replicas
from kythera.properties.statement import Question, Statement, among

UNREACHABLE = Taint("node.kubernetes.io/unreachable", effect="NoExecute")

MOST_LOST = 2
"""Where more nodes than these are lost, they may be most of a zone: then taints and evictions may be held back."""


def _bind(statement: Statement, question: Question) -> Sequence[AnyProperty]:
    if not question.rung.faults.node_failure or not question.runs("replicaset") or len(question.nodes) < 2:
        return []
    names = placement.slots(question)
    sets = names.index("objects/ReplicaSet")
    return [
        Convergence(
            **statement.words(),
            slots=names,
            missing=lambda *values: missing(values[sets], situation(names, values)),
            applies=lambda *values: any(
                each.spec.node_name in now.gone for now in (situation(names, values),) for each in now.pods
            ),
        )
    ]


def missing(sets: Objects, now: Situation) -> str | None:
    """Which ReplicaSet has fewer running pods on the nodes that are left than it asks for and there is room for."""
    if not now.gone or not now.living or len(now.gone) > MOST_LOST:
        return None
    for each in among(sets, ReplicaSet):
        active = [pod for pod in pods_of(each, now.pods) if is_active(pod)]
        run = [pod for pod in active if pod.status.phase == "Running" and now.is_on_living(pod)]
        excused = [pod for pod in active if pod not in run and _is_excused(pod, now)]
        wanted = wanted_replicas(each)
        if each.metadata.deletion_timestamp is None and len(run) + len(excused) < wanted:
            lost = ", ".join(sorted(now.gone))
            return f"{len(run)} of the {wanted} pods of ReplicaSet {each.metadata.name} run after {lost} was lost"
    return None


def _is_excused(pod: Pod, now: Situation) -> bool:
    """Whether a pod may stay as it is: it fits nowhere, or lacks something else than a living node."""
    if pod.spec.node_name is None:
        return not fits_now(pod, now) and not could_be_placed(pod, now)
    return now.is_on_living(pod) and lacks_something(pod)


NODE_FAILURE_HEALS = Statement(
    "node-failure-heals",
    "convergence",
    "After a node is lost for good, the pods that ReplicaSets ask for run on other nodes in the end, if they fit.",
    "https://kubernetes.io/docs/concepts/architecture/nodes/#node-controller; "
    "https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-based-evictions",
    "weak fairness; nodes may be lost (nodeFailure), two at most and never all; pods tolerate that for a finite time",
    "taint_eviction.evicts=nothing",
    _bind,
)
