"""no-eviction-livelock and no-scaling-oscillation: what must not go on for ever.

Controllers that are each right can undo each other's work without end (a descheduler and a scheduler, two
autoscalers).  Each step of such a run looks harmless: only the run as a whole is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kythera.model.api.autoscaling import HorizontalPodAutoscaler
from kythera.model.api.core.pod import Pod
from kythera.model.api.pods import is_terminating
from kythera.model.rule import Action
from kythera.properties.property import AnyProperty, Convergence
from kythera.properties.reading import by_uid, title, wanted_replicas
from kythera.properties.safety.minimum_replicas import TARGETS, target_of
from kythera.properties.statement import Question, Statement, among

AUTOSCALER = "horizontal-pod-autoscaler"
EVICTING = ("descheduler", "taint-eviction-controller", "users")


def _bind_evictions(statement: Statement, question: Question) -> Sequence[AnyProperty]:
    """Evictions can only repeat where somebody evicts again and again: a user's drain ends on a node that is closed."""
    if not any(question.runs(process) for process in EVICTING[:2]):
        return []
    return [
        Convergence(
            **statement.words(), slots=("objects/Pod",), forbidden=evicts,
            applies=lambda pods: any(pod.spec.node_name is not None for pod in among(pods, Pod)),
        )
    ]  # fmt: skip


def evicts(before: tuple[Any, ...], after: tuple[Any, ...], action: Action) -> str | None:
    """Which pod a step evicts, if it is one of somebody whose work is to evict."""
    if action.process not in EVICTING or (action.process == "users" and action.rule != "evict"):
        return None
    now = by_uid(among(after[0], Pod))
    for pod in among(before[0], Pod):
        new = now.get(pod.metadata.uid)
        if not is_terminating(pod) and (new is None or is_terminating(new)):
            return f"{action.process} evicts pods again and again, {title(pod)} among them"
    return None


def _bind_scaling(statement: Statement, question: Question) -> Sequence[AnyProperty]:
    kinds = [kind for kind in TARGETS if question.has(f"objects/{kind}")]
    if not question.runs(AUTOSCALER) or not kinds:
        return []
    return [
        Convergence(
            **statement.words(),
            slots=("objects/HorizontalPodAutoscaler", *(f"objects/{kind}" for kind in kinds)),
            forbidden=rescales,
            applies=lambda hpas, *targets: any(
                target_of(hpa, objects) is not None
                for hpa in among(hpas, HorizontalPodAutoscaler)
                for objects in targets
            ),
        )
    ]


def rescales(before: tuple[Any, ...], after: tuple[Any, ...], action: Action) -> str | None:
    """Which target a step of the autoscaler gives another number of replicas."""
    if action.process != AUTOSCALER:
        return None
    for hpa in among(before[0], HorizontalPodAutoscaler):
        for was, now in zip(before[1:], after[1:], strict=True):
            old, new = target_of(hpa, was), target_of(hpa, now)
            if old is None or new is None or wanted_replicas(old) == wanted_replicas(new):
                continue
            what = f"{hpa.spec.scale_target_ref.kind} {new.metadata.name}"
            return f"{what} is rescaled again and again, from {wanted_replicas(old)} to {wanted_replicas(new)} among it"
    return None


NO_EVICTION_LIVELOCK = Statement(
    "no-eviction-livelock",
    "convergence",
    "Once nothing is changed from outside any more, pods are not evicted for ever.",
    "https://kubernetes.io/docs/concepts/architecture/controller/#desired-vs-current; https://sigs.k8s.io/descheduler",
    "weak fairness",
    "descheduler.node_fit=off",
    _bind_evictions,
)

NO_SCALING_OSCILLATION = Statement(
    "no-scaling-oscillation",
    "convergence",
    "Under a load that does not change, an autoscaler does not change the number of replicas for ever.",
    "https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#flapping",
    "weak fairness; the load changes only so often",
    "scenario: two HorizontalPodAutoscalers with one target, the one's minReplicas above the other's maxReplicas",
    _bind_scaling,
)
