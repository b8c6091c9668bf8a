"""Cases of the disruption controller (``pdb/*``) and of the pod garbage collector (``podgc/*``)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from kythera.model.api.apps import Deployment, ReplicaSet
from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod
from kythera.model.api.decode import Context, decode
from kythera.model.api.meta import ObjectMeta, OwnerReference
from kythera.model.api.pods import condition
from kythera.model.api.policy import PodDisruptionBudget
from kythera.model.control_plane.controllers.disruption.budgets import (
    Scale,
    SyncError,
    budget_status,
    failed_status,
    pods_of,
    scale_of_owner,
)
from kythera.model.control_plane.controllers.disruption.targets import (
    DISRUPTION_TARGET,
    seconds_until_stale,
    without_target,
)
from kythera.model.control_plane.controllers.pod_gc import (
    is_out_of_service,
    is_unscheduled,
    orphans_of,
    surplus,
)
from kythera.model.record import Uid
from kythera.model.view import View, view

Case = dict[str, Any]

_SYMBOLS = {
    "disruptionsAllowed": "disruptions_allowed",
    "currentHealthy": "current_healthy",
    "desiredHealthy": "desired_healthy",
    "expectedPods": "expected_pods",
}


def status(case: Case) -> str | None:
    """A budget's status, given pods and their owners."""
    given, expected = case["input"], case["expected"]
    context = Context(now=_instant(given.get("now") or "2024-01-01T00:00:00Z"))
    budget = decode(PodDisruptionBudget, given["pdb"], context)
    everything = tuple(decode(Pod, pod, context) for pod in given.get("pods") or ())
    try:
        pods = pods_of(budget, everything)
        found = budget_status(budget, pods, _scales(given.get("workloads") or (), context))
    except SyncError as error:
        found = failed_status(budget, str(error))
    wrong = [
        f"{name}: expected {expected[name]}, got {getattr(found, field)}"
        for name, field in _SYMBOLS.items()
        if name in expected and expected[name] != getattr(found, field)
    ]
    if "disruptedPods" in expected:
        ages = {
            name: int((context.now - _instant(at)).total_seconds()) for name, at in expected["disruptedPods"].items()
        }
        if ages != dict(found.disrupted_pods):
            wrong.append(f"disruptedPods: expected {ages}, got {dict(found.disrupted_pods)}")
    return "; ".join(wrong) or None


def _scales(workloads: Sequence[Mapping[str, Any]], context: Context) -> Callable[[OwnerReference, str], Scale | None]:
    """How to find an owner's scale: as the controller does, plainly for kinds that the model hasn't got."""
    decoded: dict[str, list[Any]] = {"ReplicaSet": [], "Deployment": []}
    others: dict[Uid | None, int] = {}
    for each in workloads:
        if each["kind"] == "ReplicaSet":
            decoded["ReplicaSet"].append(decode(ReplicaSet, each, context))
        elif each["kind"] == "Deployment":
            decoded["Deployment"].append(decode(Deployment, each, context))
        else:
            uid = decode(ObjectMeta, each.get("metadata"), context).uid
            others[uid] = (each.get("spec") or {}).get("replicas", 1)
    seen: View = view(**{kind: tuple(objects) for kind, objects in decoded.items()})
    known = partial(scale_of_owner, seen)

    def scale_of(owner: OwnerReference, namespace: str) -> Scale | None:
        replicas = others.get(owner.uid)
        return known(owner, namespace) if replicas is None else Scale(owner.uid, replicas)

    return scale_of


def stale_condition(case: Case) -> str | None:
    """Whether a DisruptionTarget condition is taken back after some time."""
    given = case["input"]
    pod = decode(Pod, given["pod"], Context())
    told = condition(pod.status.conditions, DISRUPTION_TARGET)
    age = 0 if told is None or told.last_transition_time is None else told.last_transition_time
    if seconds_until_stale(pod, age + (given.get("seconds_passed") or 0)) == 0:
        pod = without_target(pod)
    told = condition(pod.status.conditions, DISRUPTION_TARGET)
    expected = case["expected"]["disruption_target_status"]
    found = None if told is None else told.status
    return None if found == expected else f"expected {expected}, got {found}"


def terminated(case: Case) -> str | None:
    """Which ended pods are above the threshold."""
    pods = _pods(case)
    return _compare_deleted(case, surplus(pods, case["input"].get("terminated_pod_threshold") or 0))


def unscheduled(case: Case) -> str | None:
    """Which pods are being deleted without ever having been scheduled."""
    return _compare_deleted(case, [pod for pod in _pods(case) if is_unscheduled(pod)])


def orphaned(case: Case) -> str | None:
    """Which pods are on nodes that are gone."""
    names = [node if isinstance(node, str) else node["metadata"]["name"] for node in case["input"].get("nodes") or ()]
    return _compare_deleted(case, orphans_of(_pods(case), names))


def terminating(case: Case) -> str | None:
    """Which pods are being deleted on nodes out of service."""
    context = Context()
    nodes = [decode(Node, node, context) for node in case["input"].get("nodes") or () if not isinstance(node, str)]
    return _compare_deleted(case, [pod for pod in _pods(case) if is_out_of_service(pod, nodes)])


def _pods(case: Case) -> list[Pod]:
    context = Context()
    return [decode(Pod, pod, context) for pod in case["input"].get("pods") or ()]


def _compare_deleted(case: Case, deleted: Sequence[Pod]) -> str | None:
    expected, found = sorted(case["expected"]["deleted"]), sorted(pod.metadata.name for pod in deleted)
    return None if found == expected else f"expected {expected}, got {found}"


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


ADAPTERS: dict[str, Callable[[Case], str | None]] = {
    "pdb/status": status,
    "pdb/stale-disruption-condition": stale_condition,
    "podgc/terminated": terminated,
    "podgc/unscheduled-terminating": unscheduled,
    "podgc/orphaned": orphaned,
    "podgc/terminating": terminating,
}
