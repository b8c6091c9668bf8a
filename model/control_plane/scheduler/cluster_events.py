"""Cluster events: what the scheduler's informers tell its queue when an object comes, changes or goes.

Source: pkg/scheduler/eventhandlers.go; pkg/scheduler/framework/events.go PodSchedulingPropertiesChange,
NodeSchedulingPropertiesChange; staging/src/k8s.io/kube-scheduler/framework/types.go ActionType.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod
from kythera.model.api.requests import pod_requests
from kythera.model.record import Record, Uid, record
from kythera.model.view import View

ADD = "Add"
UPDATE = "Update"
DELETE = "Delete"
NODE_ALLOCATABLE = "UpdateNodeAllocatable"
NODE_LABEL = "UpdateNodeLabel"
NODE_TAINT = "UpdateNodeTaint"
POD_LABEL = "UpdatePodLabel"
POD_SCALE_DOWN = "UpdatePodScaleDown"
POD_TOLERATION = "UpdatePodToleration"
POD_GATES_ELIMINATED = "UpdatePodSchedulingGatesEliminated"


@record
class ClusterEvent(Record):
    """A change of one object: its kind, the actions that the change amounts to, and the object before and after.

    ``old`` is ``None`` for a new object, ``new`` for one that has gone.  ``about`` is the waiting pod that alone the
    event can move, for the update of such a pod.
    """

    kind: str
    actions: tuple[str, ...]
    old: Record | None = None
    new: Record | None = None
    about: Uid | None = None


@lru_cache(maxsize=50_000)
def cluster_events(before: View, after: View) -> tuple[ClusterEvent, ...]:
    """The events between two views, kind by kind.

    A pod that has come to a node is an added one, whatever was known of it before; one that waits tells others
    nothing; one that has ended is gone.
    Source: pkg/scheduler/eventhandlers.go addPod, updatePod, deletePod, addNodeToCache, updateNodeInCache,
    deleteNodeFromCache, buildEvtResHandler.
    """
    found: list[ClusterEvent] = []
    for kind, now in after.objects.items():
        then = before.objects.get(kind, ())
        if then == now:
            continue
        new = {_key(obj): obj for obj in now}
        old = {_key(obj): obj for obj in then}
        for key in (*old, *(key for key in new if key not in old)):
            if old.get(key) != new.get(key):
                found.extend(_events(kind, old.get(key), new.get(key)))
    return tuple(found)


def pod_deleted(pod: Pod) -> ClusterEvent:
    """The event that a pod has left its node, or will not come to the one where it was assumed to be.

    Source: pkg/scheduler/framework/events.go EventAssignedPodDelete.
    """
    return ClusterEvent("Pod", (DELETE,), old=pod)


def _key(obj: Record) -> tuple[str, str, int]:
    meta = obj.metadata  # type: ignore[attr-defined]
    return (meta.namespace, meta.name, -1 if meta.uid is None else meta.uid)


def _events(kind: str, old: Record | None, new: Record | None) -> Iterator[ClusterEvent]:
    if isinstance(old or new, Pod):
        yield from _pod_events(*(each if isinstance(each, Pod) else None for each in (old, new)))
    elif old is None or new is None:
        yield ClusterEvent(kind, (ADD if old is None else DELETE,), old, new)
    elif isinstance(old, Node) and isinstance(new, Node):
        actions = tuple(_node_changes(old, new))
        if actions:
            yield ClusterEvent(kind, actions, old, new)
    else:
        yield ClusterEvent(kind, (UPDATE,), old, new)


def _pod_events(old: Pod | None, new: Pod | None) -> Iterator[ClusterEvent]:
    was = old is not None and bool(old.spec.node_name)
    if new is None:
        if was:
            yield ClusterEvent("Pod", (DELETE,), old=old)
    elif new.spec.node_name and not was:
        yield ClusterEvent("Pod", (ADD,), new=new)
    elif old is not None:
        actions = tuple(_pod_changes(old, new)) or (UPDATE,)
        yield ClusterEvent("Pod", actions, old, new, None if was else new.metadata.uid)


def _pod_changes(old: Pod, new: Pod) -> Iterable[str]:
    if old.metadata.labels != new.metadata.labels:
        yield POD_LABEL
    before, after = pod_requests(old), pod_requests(new)
    if any(name not in after or amount.nano > after[name].nano for name, amount in before.items()):
        yield POD_SCALE_DOWN
    if old.spec.scheduling_gates and not new.spec.scheduling_gates:
        yield POD_GATES_ELIMINATED
    if len(old.spec.tolerations) != len(new.spec.tolerations):
        yield POD_TOLERATION


def _node_changes(old: Node, new: Node) -> Iterable[str]:
    if old.status.allocatable != new.status.allocatable:
        yield NODE_ALLOCATABLE
    if old.metadata.labels != new.metadata.labels:
        yield NODE_LABEL
    if old.spec.taints != new.spec.taints or (old.spec.unschedulable and not new.spec.unschedulable):
        yield NODE_TAINT
