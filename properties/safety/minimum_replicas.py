"""replicas-never-below-min: what an autoscaler has scaled up to its minimum stays there.

``kubectl apply`` of a manifest that says ``replicas: 1`` resets what the autoscaler has made of it.  0 is no mistake:
it switches the autoscaler off.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kythera.model.api.apps import Deployment, ReplicaSet
from kythera.model.api.autoscaling import HorizontalPodAutoscaler
from kythera.model.feed import Objects
from kythera.model.rule import Action
from kythera.properties.property import AnyProperty, StepInvariant
from kythera.properties.reading import by_uid, wanted_replicas
from kythera.properties.statement import Question, Statement, among

TARGETS: dict[str, type[Deployment] | type[ReplicaSet]] = {"Deployment": Deployment, "ReplicaSet": ReplicaSet}


def _bind(statement: Statement, question: Question) -> Sequence[AnyProperty]:
    if not question.has("objects/HorizontalPodAutoscaler"):
        return []
    found = []
    for kind in TARGETS:
        if not question.has(f"objects/{kind}") or kind not in _targeted(question):
            continue
        found.append(
            StepInvariant(
                **statement.words(),
                slots=("objects/HorizontalPodAutoscaler", f"objects/{kind}"),
                broken=broken,
                applies=lambda hpas, targets: any(
                    (target := target_of(hpa, targets)) is not None and wanted_replicas(target) >= minimum_of(hpa)
                    for hpa in among(hpas, HorizontalPodAutoscaler)
                ),
            )
        )
    return found


def _targeted(question: Question) -> set[str]:
    """The kinds that autoscalers scale; those that are applied later may scale any."""
    if any("HorizontalPodAutoscaler" in text for event in question.scenario.events for text in event.manifests):
        return set(TARGETS)
    return {hpa.spec.scale_target_ref.kind for hpa in question.of(HorizontalPodAutoscaler)}


def minimum_of(hpa: HorizontalPodAutoscaler) -> int:
    """The lowest number of replicas that an autoscaler sets; 1 where it doesn't say."""
    return 1 if hpa.spec.min_replicas is None else hpa.spec.min_replicas


def target_of(hpa: HorizontalPodAutoscaler, targets: Objects) -> Deployment | ReplicaSet | None:
    """What an autoscaler scales, if it is there."""
    ref = hpa.spec.scale_target_ref
    found: tuple[Deployment | ReplicaSet, ...] = (*among(targets, Deployment), *among(targets, ReplicaSet))
    for each in found:
        named = type(each).__name__ == ref.kind and each.metadata.name == ref.name
        if named and each.metadata.namespace == hpa.metadata.namespace:
            return each
    return None


def broken(before: tuple[Any, ...], after: tuple[Any, ...], action: Action) -> str | None:
    """Which target a step has taken below the minimum of its autoscaler."""
    if before[1] == after[1]:
        return None
    hpas = by_uid(among(after[0], HorizontalPodAutoscaler))
    for hpa in among(before[0], HorizontalPodAutoscaler):
        old, new = target_of(hpa, before[1]), target_of(hpa, after[1])
        if old is None or new is None or hpas.get(hpa.metadata.uid) is None:
            continue
        minimum, now = minimum_of(hpa), wanted_replicas(new)
        if wanted_replicas(old) >= minimum > now > 0:
            what = f"{hpa.spec.scale_target_ref.kind} {new.metadata.name}"
            return (
                f"{what} goes from {wanted_replicas(old)} replicas to {now}: "
                f"HorizontalPodAutoscaler {hpa.metadata.name} keeps at least {minimum}"
            )
    return None


REPLICAS_NEVER_BELOW_MIN = Statement(
    "replicas-never-below-min",
    "step invariant",
    "Once the target of a HorizontalPodAutoscaler has minReplicas, nobody takes it below, except to 0, which switches "
    "the autoscaler off.",
    "https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/"
    "#migrating-deployments-and-statefulsets-to-horizontal-autoscaling",
    "manifests and users' scaling are taken as meant to live with the autoscaler",
    "hpa.minimum=ignore",
    _bind,
)
