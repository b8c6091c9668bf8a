"""Upstream's tests of the kubelet: phases, conditions, and which containers are started again.

``statuses`` that are absent in a case are unknown ones, which is not the same as none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kythera.model.api.core.container import Container, ContainerStatus
from kythera.model.api.core.pod import Pod, PodSpec
from kythera.model.api.decode import Context, decode
from kythera.model.api.meta import Condition, ObjectMeta
from kythera.model.node.kubelet.containers import should_be_restarted
from kythera.model.node.kubelet.status import (
    any_main_container_started,
    containers_ready_condition,
    initialized_condition,
    pod_phase,
    ready_condition,
)
from kythera.model.record import Age

Case = dict[str, Any]
Statuses = tuple[ContainerStatus, ...]


def phase(case: Case) -> str | None:
    """The phase from the statuses of all containers."""
    pod = decode(Pod, case["pod"], Context())
    statuses = (*pod.status.container_statuses, *pod.status.init_container_statuses)
    is_ending = (case.get("args") or {}).get("pod_is_terminal", False)
    got = pod_phase(pod.spec, statuses, is_ending, any_main_container_started(pod.spec, statuses))
    wanted = case["expected"]["phase"]
    return None if got == wanted else f"expected {wanted}, got {got}"


def _statuses(case: Case, pod: Pod, *fields: str) -> Statuses | None:
    """The statuses in these fields of the pod's status, or ``None`` if it has none of the fields."""
    given = case["pod"].get("status") or {}
    names = {"containerStatuses": "container_statuses", "initContainerStatuses": "init_container_statuses"}
    if all(given.get(field) is None for field in fields):
        return None
    return tuple(status for field in fields for status in getattr(pod.status, names[field]))


def containers_ready(case: Case) -> str | None:
    """The ContainersReady condition."""
    pod = decode(Pod, case["pod"], Context())
    statuses = _statuses(case, pod, "containerStatuses", "initContainerStatuses")
    return _compare(case, containers_ready_condition(pod.spec, statuses, pod.status.phase))


def ready(case: Case) -> str | None:
    """The Ready condition, readiness gates included."""
    pod = decode(Pod, case["pod"], Context())
    statuses = _statuses(case, pod, "containerStatuses", "initContainerStatuses")
    return _compare(case, ready_condition(pod.spec, pod.status.conditions, statuses, pod.status.phase))


def initialized(case: Case) -> str | None:
    """The Initialized condition."""
    pod = decode(Pod, case["pod"], Context())
    statuses = _statuses(case, pod, "initContainerStatuses", "containerStatuses")
    return _compare(case, initialized_condition(pod.spec, statuses, pod.status.phase))


def _compare(case: Case, got: Condition) -> str | None:
    """Compare type, status and reason, and the message where the case gives one."""
    wanted = case["expected"]["condition"]
    for field, value in (("type", got.type), ("status", got.status), ("reason", got.reason)):
        if (wanted.get(field) or "") != value:
            return f"expected {field} {wanted.get(field)!r}, got {value!r}"
    message = wanted.get("message") or wanted.get("message_v1_15") or ""
    if message and message != got.message:
        return f"expected message {message!r}, got {got.message!r}"
    return None


def restart(case: Case) -> str | None:
    """Whether a container is to be started (again), by the state of its newest instance."""
    given = case["input"]
    states = given.get("container_runtime_states_newest_first")
    newest = states[0] if states else {}
    pod = Pod(
        ObjectMeta(deletion_timestamp=Age(0) if given.get("pod_being_deleted") else None),
        PodSpec(restart_policy=given["restart_policy"]),
    )
    got = should_be_restarted(Container("c"), pod, newest.get("state"), newest.get("exit_code") or 0)
    wanted = case["expected"]["restart"]
    return None if got == wanted else f"expected restart={wanted}, got {got}"


ADAPTERS: dict[str, Callable[[Case], str | None]] = {
    "pod/phase": phase,
    "pod/condition-ContainersReady": containers_ready,
    "pod/condition-Ready": ready,
    "pod/condition-Initialized": initialized,
    "container/should-be-restarted": restart,
}
