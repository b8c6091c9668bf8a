"""Predicates on pods and conditions that several components share.

Source: pkg/api/v1/pod/util.go and pkg/controller/controller_utils.go; metav1.GetControllerOf for the owner.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from kythera.model.api.core.pod import Pod
from kythera.model.api.meta import Condition, ObjectMeta, OwnerReference
from kythera.model.record import Record


def condition(conditions: Iterable[Condition], type: str) -> Condition | None:
    """The condition of a type, or ``None``.

    Source: pkg/api/v1/pod/util.go GetPodConditionFromList.
    """
    for each in conditions:
        if each.type == type:
            return each
    return None


def set_condition(conditions: tuple[Condition, ...], new: Condition) -> tuple[Condition, ...]:
    """The conditions with ``new`` in place of the one of its type, or at the end if there is none.

    Nothing is compared: whoever wants to keep a transition time sets it in ``new``.
    """
    if condition(conditions, new.type) is None:
        return (*conditions, new)
    return tuple(new if each.type == new.type else each for each in conditions)


def is_ready(pod: Pod) -> bool:
    """Whether the pod's Ready condition is True.

    Source: pkg/api/v1/pod/util.go IsPodReady.
    """
    ready = condition(pod.status.conditions, "Ready")
    return ready is not None and ready.status == "True"


def is_available(pod: Pod, min_ready_seconds: int) -> bool:
    """Whether the pod has been ready for at least ``min_ready_seconds``.

    A Ready condition without a transition time never counts unless ``min_ready_seconds`` is 0.
    Source: pkg/api/v1/pod/util.go IsPodAvailable.
    """
    ready = condition(pod.status.conditions, "Ready")
    if ready is None or ready.status != "True":
        return False
    if min_ready_seconds == 0:
        return True
    return ready.last_transition_time is not None and ready.last_transition_time >= min_ready_seconds


def is_terminal(pod: Pod) -> bool:
    """Whether the pod has ended for good: its phase is Succeeded or Failed.

    Source: pkg/api/v1/pod/util.go IsPodTerminal.
    """
    return pod.status.phase in ("Succeeded", "Failed")


def is_terminating(pod: Pod) -> bool:
    """Whether somebody has asked for the pod's deletion."""
    return pod.metadata.deletion_timestamp is not None


def is_active(pod: Pod) -> bool:
    """Whether the pod runs, or will, and nobody has asked for its deletion.

    Source: pkg/controller/controller_utils.go IsPodActive.
    """
    return not is_terminal(pod) and not is_terminating(pod)


def controller_of(obj: Record) -> OwnerReference | None:
    """The owner that is the object's controller, or ``None``.

    Source: staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/controller_ref.go GetControllerOf.
    """
    metadata = cast(ObjectMeta, cast(Any, obj).metadata)
    for owner in metadata.owner_references:
        if owner.controller:
            return owner
    return None
