"""deployment-converges: each Deployment becomes, and stays, what it asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kythera.model.api.apps import Deployment, ReplicaSet
from kythera.model.api.core.pod import Pod, PodTemplateSpec
from kythera.model.api.meta import Condition
from kythera.model.api.pods import condition, is_active
from kythera.model.feed import Objects
from kythera.model.record import replace
from kythera.properties.liveness import placement
from kythera.properties.liveness.placement import Situation, could_be_placed, fits_now, lacks_something, situation
from kythera.properties.property import AnyProperty, Convergence
from kythera.properties.reading import pods_of, sets_of, wanted_replicas
from kythera.properties.statement import Question, Statement, among

HASH = "pod-template-hash"
NODE_LOST = "its node is gone"


def _bind(statement: Statement, question: Question) -> Sequence[AnyProperty]:
    if not question.runs("deployment"):
        return []
    names = placement.slots(question)
    sets = names.index("objects/ReplicaSet")
    return [
        Convergence(
            **statement.words(),
            slots=("objects/Deployment", *names),
            missing=lambda deployments, *values: missing(deployments, values[sets], situation(names, values)),
            excuse=lambda deployments, *values: excuse(deployments, values[sets], situation(names, values)),
            applies=lambda deployments, *values: _is_ever_complete(deployments, values[sets]),
        )
    ]


def _is_ever_complete(deployments: Objects, sets: Objects) -> bool:
    """Whether some Deployment has all that it asks for.

    One that never has is one whose pods can't run, of which nothing is claimed: that must not be told as kept.
    """
    return any(_claimed(each) and lacks(each, sets_of(each, sets)) is None for each in among(deployments, Deployment))


def _claimed(deployment: Deployment) -> bool:
    return not deployment.spec.paused and deployment.metadata.deletion_timestamp is None


def missing(deployments: Objects, sets: Objects, now: Situation) -> str | None:
    """What some Deployment lacks, unless its pods can't run."""
    for deployment in among(deployments, Deployment):
        if _claimed(deployment):
            mine = sets_of(deployment, sets)
            message = lacks(deployment, mine)
            if message is not None and kept_back(mine, _without_old(deployment, mine, now)) is None:
                return f"Deployment {deployment.metadata.name}: {message}"
    return None


def excuse(deployments: Objects, sets: Objects, now: Situation) -> str | None:
    """Which Deployment is not claimed to converge, and why: its pods can't run, whatever the controllers do.

    That a node was lost is no news: its pods are replaced.
    """
    for deployment in among(deployments, Deployment):
        if _claimed(deployment):
            mine = sets_of(deployment, sets)
            why = kept_back(mine, _without_old(deployment, mine, now))
            if why not in (None, NODE_LOST) and lacks(deployment, mine) is not None:
                return f"Deployment {deployment.metadata.name}: {why}"
    return None


def _without_old(deployment: Deployment, sets: Sequence[ReplicaSet], now: Situation) -> Situation:
    """The situation without the pods of older templates: a rollout is to take them away, so they are no excuse."""
    template = without_hash(deployment.spec.template)
    old = [each for each in sets if without_hash(each.spec.template) != template]
    gone = {pod.metadata.uid for each in old for pod in pods_of(each, now.pods)}
    return replace(now, pods=tuple(pod for pod in now.pods if pod.metadata.uid not in gone))


def lacks(deployment: Deployment, sets: Sequence[ReplicaSet]) -> str | None:
    """What a Deployment lacks: of its ReplicaSets, or in its status."""
    status, wanted = deployment.status, wanted_replicas(deployment)
    if status.observed_generation != deployment.metadata.generation:
        return "its newest specification has not been looked at"
    template = without_hash(deployment.spec.template)
    new = [each for each in sets if without_hash(each.spec.template) == template]
    old = [each for each in sets if each not in new]
    if not new:
        return "no ReplicaSet has its template"
    asked = sum(map(wanted_replicas, new))
    if asked != wanted:
        return f"its new ReplicaSet asks for {asked} pods of {wanted}"
    left = sum(map(wanted_replicas, old))
    if left:
        return f"its old ReplicaSets still ask for {left} pods"
    counts: dict[str, Any] = {
        "updated": status.updated_replicas,
        "ready": status.ready_replicas,
        "available": status.available_replicas,
        "": status.replicas,
    }
    for what, count in counts.items():
        if count != wanted:
            return f"it reports {count} {what + ' ' if what else ''}pods of {wanted}"
    return None


def without_hash(template: PodTemplateSpec) -> PodTemplateSpec:
    """A template without the label that its ReplicaSet gives it."""
    return replace(template, metadata=replace(template.metadata, labels=template.metadata.labels.without(HASH)))


def kept_back(sets: Sequence[ReplicaSet], now: Situation) -> str | None:
    """What else than the controllers keeps pods from running, if anything does."""
    for each in sets:
        failure: Condition | None = condition(each.status.conditions, "ReplicaFailure")
        if failure is not None and failure.status == "True":
            return f"a pod of it is refused: {failure.message}"
        for pod in pods_of(each, now.pods):
            why = _kept_back(pod, now) if is_active(pod) else None
            if why is not None:
                return why
    return None


def _kept_back(pod: Pod, now: Situation) -> str | None:
    if pod.spec.node_name is None:
        return None if fits_now(pod, now) or could_be_placed(pod, now) else "a pod of it fits on no node"
    if lacks_something(pod):
        return "a container of it waits for what is not there, or ends again and again"
    return None if now.is_on_living(pod) else NODE_LOST


DEPLOYMENT_CONVERGES = Statement(
    "deployment-converges",
    "convergence",
    "Once nothing is changed from outside any more, each Deployment that is not paused has all its pods from its "
    "newest template, ready and available, none of an older one, and its status says so, for ever.",
    "https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#complete-deployment",
    "weak fairness; the pods are admitted, some placement holds them, and their images and configuration are there",
    "replicaset.creates=nothing",
    _bind,
)
