"""DisruptionTarget conditions of pods: which of them announce a deletion that does not come.

Source: pkg/controller/disruption/disruption.go.
"""

from __future__ import annotations

from kythera.model.api.core.pod import Pod
from kythera.model.api.meta import Condition
from kythera.model.api.pods import condition, is_terminal, is_terminating, set_condition
from kythera.model.controller import Step
from kythera.model.record import Age, Record, Uid, record, replace
from kythera.model.request import Update
from kythera.model.view import View

STALE_CONDITION_TIMEOUT = 120
"""After so many seconds without a deletion a DisruptionTarget condition is taken back."""

DISRUPTION_TARGET = "DisruptionTarget"


@record
class Targeted(Record):
    """A pod that bears a DisruptionTarget condition, and since when that is seen."""

    uid: Uid = Uid(0)
    since: Age = Age(0)


Local = tuple[Targeted, ...]


def is_targeted(pod: Pod) -> bool:
    """Whether a pod is said to be disrupted although nobody deletes it.

    What the kubelet says of itself is never stale, nor is what is said of a pod that has ended.
    Source: pkg/controller/disruption/disruption.go nonTerminatingPodHasStaleDisruptionCondition.
    """
    told = condition(pod.status.conditions, DISRUPTION_TARGET)
    return (
        told is not None
        and told.status == "True"
        and told.reason != "TerminationByKubelet"
        and not is_terminating(pod)
        and not is_terminal(pod)
    )


def seconds_until_stale(pod: Pod, seen_for: int) -> int | None:
    """Seconds until a DisruptionTarget condition that has been seen for so long is stale; ``None``: never."""
    return max(0, STALE_CONDITION_TIMEOUT - seen_for) if is_targeted(pod) else None


def without_target(pod: Pod) -> Pod:
    """The pod with its DisruptionTarget condition taken back.

    Source: pkg/controller/disruption/disruption.go syncStalePodDisruption.
    """
    told = Condition(DISRUPTION_TARGET, "False", last_transition_time=Age(0))
    status = replace(pod.status, conditions=set_condition(pod.status.conditions, told))
    return replace(pod, status=status)


def look_at_pod(local: Local, pod: Pod) -> Step:
    """Remember since when a pod is said to be disrupted, and take that back when it is stale.

    Source: pkg/controller/disruption/disruption.go syncStalePodDisruption.
    """
    uid = pod.metadata.uid
    if uid is None or not is_targeted(pod):
        return Step(local)
    seen = next((each for each in local if each.uid == uid), None)
    if seen is None:
        first = tuple(sorted((*local, Targeted(uid)), key=lambda each: each.uid))
        return Step(first, requeue_after=STALE_CONDITION_TIMEOUT, why="a disruption was announced")
    wait = seconds_until_stale(pod, seen.since)
    if wait:
        return Step(local, requeue_after=wait)
    return Step(local, (Update(without_target(pod), subresource="status"),), why="the disruption did not come")


def still_targeted(local: Local, view: View) -> Local:
    """What is remembered, less the pods of which it is no longer true."""
    if not local:
        return local
    targeted = {pod.metadata.uid for pod in view.list(Pod) if is_targeted(pod)}
    return tuple(each for each in local if each.uid in targeted)
