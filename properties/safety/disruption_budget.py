"""pdb-honoured-by-eviction: an eviction that is granted was there to be granted, and is booked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from kythera.model.api.core.pod import Pod
from kythera.model.api.labels import matches
from kythera.model.api.pods import condition, is_ready, is_terminal, is_terminating
from kythera.model.api.policy import PodDisruptionBudget
from kythera.model.record import Record
from kythera.model.rule import Action
from kythera.properties.property import AnyProperty, StepInvariant
from kythera.properties.reading import by_uid, title
from kythera.properties.statement import Question, Statement, among

USERS = "users"
DESCHEDULER = "descheduler"


def _bind(statement: Statement, question: Question) -> Sequence[AnyProperty]:
    drains = any(event.verb == "drain" for event in question.scenario.events)
    if not question.has("objects/PodDisruptionBudget") or not (drains or question.runs(DESCHEDULER)):
        return []
    return [
        StepInvariant(
            **statement.words(),
            slots=("objects/Pod", "objects/PodDisruptionBudget"),
            broken=broken,
            applies=lambda pods, budgets: any(
                guards(budget, pod) and counts(budget, pod)
                for budget in among(budgets, PodDisruptionBudget)
                for pod in among(pods, Pod)
            ),
            by=frozenset({USERS, DESCHEDULER}),
        )
    ]


def guards(budget: PodDisruptionBudget, pod: Pod) -> bool:
    """Whether a budget speaks of a pod."""
    here = budget.metadata.namespace == pod.metadata.namespace
    return here and matches(budget.spec.selector, pod.metadata.labels)


def counts(budget: PodDisruptionBudget, pod: Pod) -> bool:
    """Whether evicting the pod takes something from the budget.

    Source: https://kubernetes.io/docs/tasks/run-application/configure-pdb/#unhealthy-pod-eviction-policy.
    """
    if is_terminal(pod) or is_terminating(pod) or pod.status.phase == "Pending":
        return False
    if is_ready(pod):
        return True
    status = budget.status
    enough = status.current_healthy >= status.desired_healthy > 0
    return not (enough or budget.spec.unhealthy_pod_eviction_policy == "AlwaysAllow")


def broken(before: tuple[Any, ...], after: tuple[Any, ...], action: Action) -> str | None:
    """Which budget an eviction has overdrawn, or was not booked on."""
    if before[0] == after[0] or not (action.rule == "evict" or action.process == DESCHEDULER):
        return None
    pods = among(before[0], Pod)
    now = by_uid(among(after[0], Pod))
    evicted = [
        pod
        for pod in pods
        if not is_terminating(pod) and (pod.metadata.uid not in now or is_terminating(now[pod.metadata.uid]))
    ]
    later = by_uid(among(after[1], PodDisruptionBudget))
    for budget in among(before[1], PodDisruptionBudget):
        gone = [pod for pod in evicted if guards(budget, pod) and counts(budget, pod)]
        if gone:
            message = _judge(budget, later.get(budget.metadata.uid), gone, pods)
            if message is not None:
                return message
    return None


def _judge(
    budget: PodDisruptionBudget, booked: PodDisruptionBudget | None, gone: Sequence[Pod], pods: Sequence[Pod]
) -> str | None:
    name, allowed = budget.metadata.name, budget.status.disruptions_allowed
    who = ", ".join(map(title, gone))
    if allowed < len(gone):
        return f"{who} is evicted although PodDisruptionBudget {name} allows {allowed} disruptions"
    if booked is not None and booked.status.disruptions_allowed != allowed - len(gone):
        left = booked.status.disruptions_allowed
        return f"{who} is evicted, and PodDisruptionBudget {name} still allows {left} disruptions of {allowed}"
    healthy = healthy_left(budget, gone, pods)
    if healthy is not None and healthy < budget.status.desired_healthy:
        wanted = budget.status.desired_healthy
        return f"{who} is evicted: {healthy} healthy pods are left of {wanted} that PodDisruptionBudget {name} protects"
    return None


def healthy_left(budget: PodDisruptionBudget, gone: Sequence[Pod], pods: Iterable[Record]) -> int | None:
    """How many pods of a budget stay healthy, or ``None`` where others than evictions have taken some.

    Then the budget's status, which is never newer than what its controller had seen, may rightly be too high.
    """
    mine = [pod for pod in among(pods, Pod) if guards(budget, pod)]
    staying = [pod for pod in mine if not is_terminating(pod)]
    leaving = [pod for pod in mine if is_terminating(pod)]
    if len(mine) != budget.status.expected_pods or not all(map(is_ready, staying)):
        return None
    if not all(map(_was_evicted, leaving)):
        return None
    return len(staying) - len(gone)


def _was_evicted(pod: Pod) -> bool:
    """Whether a pod on its way out was healthy when it was evicted: its readiness is the last thing to go."""
    target = condition(pod.status.conditions, "DisruptionTarget")
    return is_ready(pod) and target is not None and target.reason == "EvictionByEvictionAPI"


PDB_HONOURED_BY_EVICTION = Statement(
    "pdb-honoured-by-eviction",
    "step invariant",
    "An eviction is granted only where the PodDisruptionBudget allows one more, and is booked on it; evictions alone "
    "never leave fewer healthy pods than it protects.",
    "https://kubernetes.io/docs/concepts/workloads/pods/disruptions/#pod-disruption-budgets; "
    "pkg/registry/core/pod/storage/eviction.go checkAndDecrement",
    "a disruption controller runs; pods that are lost otherwise are outside",
    "disruption.on_conflict=overwrite_with_old",
    _bind,
)
