"""rollout-bounds: a rollout keeps to maxSurge and maxUnavailable.

Judged where the Deployment's controller itself changes a ReplicaSet, and by what that controller sees: evictions, lost
nodes and autoscalers are outside of what it promises.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kythera.model.api.apps import Deployment, ReplicaSet, RollingUpdateDeployment
from kythera.model.api.int_or_string import scaled_value
from kythera.model.api.pods import controller_of
from kythera.model.rule import Action
from kythera.properties.property import AnyProperty, StepInvariant
from kythera.properties.reading import by_uid, sets_of, view_slot, wanted_replicas
from kythera.properties.statement import Question, Statement, among

CONTROLLER = "deployment"
DESIRED = "deployment.kubernetes.io/desired-replicas"
QUARTER = RollingUpdateDeployment("25%", "25%")


def _bind(statement: Statement, question: Question) -> Sequence[AnyProperty]:
    if not question.runs(CONTROLLER):
        return []
    seen = tuple(view_slot(question, CONTROLLER, kind) for kind in ("Deployment", "ReplicaSet"))
    return [
        StepInvariant(
            **statement.words(),
            slots=("objects/ReplicaSet", *seen),
            broken=broken,
            applies=lambda sets, deployments, known: any(map(wanted_replicas, among(deployments, Deployment))),
            by=frozenset({CONTROLLER}),
        )
    ]


def broken(before: tuple[Any, ...], after: tuple[Any, ...], action: Action) -> str | None:
    """Which Deployment's controller has gone beyond the bounds of its rollout."""
    if action.process != CONTROLLER or before[0] == after[0]:
        return None
    old = by_uid(among(before[0], ReplicaSet))
    seen = by_uid(among(before[2], ReplicaSet))
    known = [
        each for each in among(after[0], ReplicaSet) if each.metadata.uid in seen or old.get(each.metadata.uid) != each
    ]
    new = by_uid(among(after[0], ReplicaSet))
    differing = [
        each for uid in old.keys() | new.keys() if old.get(uid) != new.get(uid) for each in (old.get(uid), new.get(uid))
    ]
    owners = {owner.uid for each in differing if each is not None and (owner := controller_of(each)) is not None}
    for deployment in among(before[1], Deployment):
        if deployment.metadata.uid not in owners:
            continue  # nothing of it was changed
        message = too_many(deployment, old, known) or too_few(deployment, before, after[0])
        if message is not None:
            return message
    return None


def too_many(deployment: Deployment, old: dict[int | None, Any], sets: Sequence[Any]) -> str | None:
    """What is wrong where a step has made some ReplicaSet ask for more pods.

    ``sets``: those that the controller had seen, or has changed in this step.  One that it has made and not seen yet
    can be missing there, when the template changes again: Kubernetes makes one too many then.
    """
    mine = sets_of(deployment, sets)
    grown = [
        each
        for each in mine
        if wanted_replicas(each) > (wanted_replicas(old[each.metadata.uid]) if each.metadata.uid in old else 0)
    ]
    total, desired = sum(map(wanted_replicas, mine)), wanted_replicas(deployment)
    surge = bounds(deployment)[0]
    if grown and total > desired + surge:
        return (
            f"the ReplicaSets of Deployment {deployment.metadata.name} ask for {total} pods together: "
            f"more than {desired} and {surge} in surge"
        )
    return None


def too_few(deployment: Deployment, before: tuple[Any, ...], sets: Sequence[Any]) -> str | None:
    """What is wrong where a step of a rolling update has made some ReplicaSet ask for fewer pods.

    Nothing is said while the Deployment is being resized: then all its ReplicaSets shrink in proportion.
    """
    known = sets_of(deployment, before[2])
    if deployment.spec.strategy.type == "Recreate" or _resized(deployment, known):
        return None
    stored, now = by_uid(among(before[0], ReplicaSet)), by_uid(among(sets, ReplicaSet))
    had = left = 0
    shrunk = False
    for each in known:
        uid, available = each.metadata.uid, each.status.available_replicas
        kept = wanted_replicas(each)
        if uid in stored and uid in now and now[uid] != stored[uid]:
            shrunk = shrunk or wanted_replicas(now[uid]) < kept
            kept = wanted_replicas(now[uid])
        had += min(available, wanted_replicas(each))
        left += min(available, kept)
    desired, missing = wanted_replicas(deployment), bounds(deployment)[1]
    if shrunk and left < min(had, desired - missing):
        return (
            f"Deployment {deployment.metadata.name} is scaled down to {left} available pods: "
            f"fewer than {desired} less {missing}"
        )
    return None


def _resized(deployment: Deployment, sets: Sequence[ReplicaSet]) -> bool:
    desired = str(wanted_replicas(deployment))
    return any(each.metadata.annotations.get(DESIRED, desired) != desired for each in sets if wanted_replicas(each))


def bounds(deployment: Deployment) -> tuple[int, int]:
    """How many pods there may be above the wanted number, and how many may be missing from it.

    Source: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment.
    """
    if deployment.spec.strategy.type == "Recreate":
        return 0, 0
    desired = wanted_replicas(deployment)
    rolling = deployment.spec.strategy.rolling_update or QUARTER
    surge = scaled_value(rolling.max_surge or 0, desired, True)
    missing = scaled_value(rolling.max_unavailable or 0, desired, False)
    return (0, 1) if surge == missing == 0 else (surge, min(missing, desired))


ROLLOUT_BOUNDS = Statement(
    "rollout-bounds",
    "step invariant",
    "While the Deployment controller scales, its ReplicaSets never ask for more pods than replicas and maxSurge, and "
    "it never takes away pods that it needs to keep all but maxUnavailable of them available.",
    "https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment",
    "by what the controller sees; pods that are lost otherwise are outside, and so is a change of replicas",
    "deployment.bounds=ignore",
    _bind,
)
