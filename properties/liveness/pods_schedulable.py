"""pods-schedulable: every pod that some placement can hold runs in the end."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

from kythera.model.api.core.pod import Pod
from kythera.model.api.pods import is_active
from kythera.properties.liveness import placement
from kythera.properties.liveness.placement import Situation, could_be_placed, fits_now, lacks_something, situation
from kythera.properties.property import AnyProperty, Convergence
from kythera.properties.reading import makes_pods, title
from kythera.properties.statement import Question, Statement, among


def _bind(statement: Statement, question: Question) -> Sequence[AnyProperty]:
    if not makes_pods(question) or not question.scenario.schedulers:
        return []
    names = placement.slots(question)
    schedulers = frozenset(each.name for each in question.scenario.schedulers)
    return [
        Convergence(
            **statement.words(),
            slots=names,
            missing=lambda *values: missing(situation(names, values), schedulers),
            applies=partial(_applies, schedulers),
        )
    ]


def _applies(schedulers: Collection[str], pods: Sequence[Any], *others: Any) -> bool:
    return any(waits(pod, schedulers) or pod.spec.node_name is not None for pod in among(pods, Pod) if is_active(pod))


def waits(pod: Pod, schedulers: Collection[str]) -> bool:
    """Whether a pod waits for one of the schedulers that run."""
    known = (pod.spec.scheduler_name or "default-scheduler") in schedulers
    return is_active(pod) and pod.spec.node_name is None and known and not pod.spec.scheduling_gates


def missing(now: Situation, schedulers: Collection[str]) -> str | None:
    """Which pod does not run although it could.

    A pod that no placement holds beside those that have a node is not claimed to run, nor is one whose image or
    configuration is not there, nor one on a node that is lost.
    """
    for pod in now.pods:
        if waits(pod, schedulers):
            node = fits_now(pod, now)
            if node is not None:
                return f"pod {title(pod)} has no node although it fits {node}"
            if could_be_placed(pod, now):
                return f"pod {title(pod)} fits no node, but would if the pods that run were placed otherwise"
        elif is_active(pod) and pod.status.phase != "Running" and now.is_on_living(pod) and not lacks_something(pod):
            return f"pod {title(pod)} is bound to {pod.spec.node_name} and does not run"
    return None


PODS_SCHEDULABLE = Statement(
    "pods-schedulable",
    "convergence",
    "Once nothing is changed from outside any more, every pod that some placement of the pods can hold runs, for ever.",
    "https://kubernetes.io/docs/concepts/scheduling-eviction/kube-scheduler/",
    "weak fairness; one scheduler per pod; a pod that the bounded search finds no placement for is not claimed",
    "scheduler.retry=never",
    _bind,
)
