"""What the conditions of a node mean: which taints follow from them, and how a silent node is described.

Source: pkg/controller/nodelifecycle/node_lifecycle_controller.go;
https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/#taint-nodes-by-condition.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod, PodStatus
from kythera.model.api.core.scheduling import Taint
from kythera.model.api.meta import Condition
from kythera.model.api.pods import condition, set_condition
from kythera.model.api.taints import NO_EXECUTE, NO_SCHEDULE
from kythera.model.record import Age, replace

READY = "Ready"
TRUE, FALSE, UNKNOWN = "True", "False", "Unknown"

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"

TAINT_KEYS: Mapping[str, Mapping[str, str]] = {
    READY: {FALSE: NOT_READY, UNKNOWN: UNREACHABLE},
    "MemoryPressure": {TRUE: "node.kubernetes.io/memory-pressure"},
    "DiskPressure": {TRUE: "node.kubernetes.io/disk-pressure"},
    "NetworkUnavailable": {TRUE: "node.kubernetes.io/network-unavailable"},
    "PIDPressure": {TRUE: "node.kubernetes.io/pid-pressure"},
}
"""Condition -> status -> key of the taint that keeps new pods off."""

MANAGED_KEYS = frozenset({UNSCHEDULABLE, *(key for by_status in TAINT_KEYS.values() for key in by_status.values())})

REPORTED_BY_KUBELET = (
    Condition(READY, TRUE, "KubeletReady", "kubelet is posting ready status"),
    Condition("MemoryPressure", FALSE, "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    Condition("DiskPressure", FALSE, "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    Condition("PIDPressure", FALSE, "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
)
"""What a kubelet reports when all is well, and nobody knows any more when it is silent; the network's condition is not
the kubelet's.

Source: pkg/kubelet/nodestatus/setters.go.
"""

STATUS_UNKNOWN, NEVER_UPDATED = "NodeStatusUnknown", "NodeStatusNeverUpdated"


def ready_status(node: Node) -> str | None:
    """The status of the node's Ready condition, ``None`` if it has none."""
    found = condition(node.status.conditions, READY)
    return None if found is None else found.status


def condition_taints(node: Node) -> tuple[Taint, ...]:
    """The NoSchedule taints that follow from a node's conditions and from being cordoned.

    Source: pkg/controller/nodelifecycle/node_lifecycle_controller.go doNoScheduleTaintingPass.
    """
    keys = [TAINT_KEYS.get(each.type, {}).get(each.status) for each in node.status.conditions]
    if node.spec.unschedulable:
        keys.append(UNSCHEDULABLE)
    return tuple(Taint(key, effect=NO_SCHEDULE, time_added=Age(0)) for key in keys if key is not None)


def with_condition_taints(node: Node) -> Node:
    """The node with the NoSchedule taints that it should have, all others as they are.

    Source: pkg/controller/nodelifecycle/node_lifecycle_controller.go doNoScheduleTaintingPass.
    """
    wanted = condition_taints(node)
    stale = [
        taint.key
        for taint in node.spec.taints
        if taint.effect == NO_SCHEDULE and taint.key in MANAGED_KEYS and not _has(wanted, taint)
    ]
    missing = [taint for taint in wanted if not _has(node.spec.taints, taint)]
    return swapped(node, missing, stale, NO_SCHEDULE)


def has_eviction_taint(node: Node, key: str) -> bool:
    """Whether a node has the NoExecute taint of this key."""
    return _has(node.spec.taints, Taint(key, effect=NO_EXECUTE))


def with_eviction_taint(node: Node, key: str | None) -> Node:
    """The node with one of the NoExecute taints not-ready and unreachable, added now, and without the other.

    With ``None`` it has neither.
    Source: pkg/controller/nodelifecycle/node_lifecycle_controller.go doNoExecuteTaintingPass, markNodeAsReachable.
    """
    stale = [each for each in (NOT_READY, UNREACHABLE) if each != key]
    if key is None or has_eviction_taint(node, key):
        return swapped(node, (), stale, NO_EXECUTE)
    return swapped(node, (Taint(key, effect=NO_EXECUTE, time_added=Age(0)),), stale, NO_EXECUTE)


def swapped(node: Node, added: Iterable[Taint], removed: Iterable[str], effect: str) -> Node:
    """The node with some taints more, and without those of one effect that have these keys.

    Source: pkg/controller/util/node/controller_utils.go SwapNodeControllerTaint.
    """
    gone = set(removed)
    kept = (taint for taint in node.spec.taints if taint.effect != effect or taint.key not in gone)
    taints = (*kept, *added)
    return node if taints == node.spec.taints else replace(node, spec=replace(node.spec, taints=taints))


def _has(taints: Iterable[Taint], taint: Taint) -> bool:
    return any((each.key, each.effect) == (taint.key, taint.effect) for each in taints)


def silent(node: Node) -> Node:
    """The node as it is described when its kubelet has been silent for too long.

    Source: pkg/controller/nodelifecycle/node_lifecycle_controller.go tryUpdateNodeHealth.
    """
    conditions = node.status.conditions
    for kind in (each.type for each in REPORTED_BY_KUBELET):
        old = condition(conditions, kind)
        if old is None:
            text = "Kubelet never posted node status."
            new = Condition(kind, UNKNOWN, NEVER_UPDATED, text, last_transition_time=Age(0))
        elif old.status != UNKNOWN:
            text = "Kubelet stopped posting node status."
            new = replace(old, status=UNKNOWN, reason=STATUS_UNKNOWN, message=text, last_transition_time=Age(0))
        else:
            continue
        conditions = set_condition(conditions, new)
    return replace(node, status=replace(node.status, conditions=conditions))


def gave_up(node: Node) -> bool:
    """Whether the node controller said of a node that nothing is known of it."""
    ready = condition(node.status.conditions, READY)
    return ready is not None and ready.status == UNKNOWN and ready.reason in (STATUS_UNKNOWN, NEVER_UPDATED)


def reported(node: Node) -> Node:
    """The node as its kubelet describes it when it is back, and all is well.

    Source: pkg/kubelet/nodestatus/setters.go ReadyCondition and the pressure conditions.
    """
    conditions = node.status.conditions
    for new in REPORTED_BY_KUBELET:
        old = condition(conditions, new.type)
        if old is None or old.reason in (STATUS_UNKNOWN, NEVER_UPDATED):
            conditions = set_condition(conditions, replace(new, last_transition_time=Age(0)))
    return replace(node, status=replace(node.status, conditions=conditions))


def to_mark(node: Node, pods: Iterable[Pod]) -> tuple[Pod, ...]:
    """The pods of a node that still say they are ready, each with the one condition that takes that back.

    Pods that never had a Ready condition get none.
    Source: pkg/controller/util/node/controller_utils.go MarkPodsNotReady.
    """
    found = []
    for pod in pods:
        ready = condition(pod.status.conditions, READY)
        if pod.spec.node_name == node.metadata.name and ready is not None and ready.status != FALSE:
            new = replace(ready, status=FALSE, last_transition_time=Age(0))
            found.append(replace(pod, status=PodStatus(conditions=(new,))))
    return tuple(found)
