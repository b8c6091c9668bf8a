"""Queueing hints: whether an event may let a pod go on that certain plugins have rejected.

Each plugin has registered the events that can change its mind, most of them with a function that looks closer.  A
plugin that has registered nothing (it is not in ``REGISTERED``) is taken to care for every event.

Hints have gaps: a pod that needs pods like itself is not woken when the last of those goes (kubernetes issue
141354); the namespace selectors of affinity terms are not looked at (141953).  Such a pod waits for the flush of
the pool.

Source: KEP-4247 (feature gate SchedulerQueueingHints, on by default since v1.32, locked since v1.34);
``EventsToRegister`` and the hint functions of each plugin in pkg/scheduler/framework/plugins.
Simplifies: nominated nodes (preemption) are not modelled; a node that changes in several ways is one event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache

from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod
from kythera.model.api.core.scheduling import PodAffinityTerm, TopologySpreadConstraint
from kythera.model.api.labels import matches
from kythera.model.api.node_affinity import required_node_affinity_matches
from kythera.model.api.pod_affinity import required_affinity_terms, required_anti_affinity_terms, term_matches
from kythera.model.api.taints import KEEPS_OFF, find_untolerated, is_tolerated
from kythera.model.control_plane.scheduler.cluster_events import (
    ADD,
    DELETE,
    NODE_ALLOCATABLE,
    NODE_LABEL,
    NODE_TAINT,
    POD_LABEL,
    POD_SCALE_DOWN,
    POD_TOLERATION,
    ClusterEvent,
)
from kythera.model.control_plane.scheduler.filters.node_resources_fit import filter_node_resources_fit
from kythera.model.control_plane.scheduler.filters.node_unschedulable import UNSCHEDULABLE_TAINT
from kythera.model.control_plane.scheduler.filters.pod_topology_spread import DO_NOT_SCHEDULE
from kythera.model.control_plane.scheduler.node_info import NodeInfo, Snapshot, host_ports, requested_by, units
from kythera.model.control_plane.scheduler.topology_spread import has_all_keys, with_label_keys

OfPod = Callable[[Pod, Pod | None, Pod | None], bool]
OfNode = Callable[[Pod, Node | None, Node | None], bool]


def always(pod: Pod, old: object, new: object) -> bool:
    """The hint of an event that is registered without a function."""
    return True


def node_opened(pod: Pod, old: Node | None, new: Node | None) -> bool:
    """NodeUnschedulable: the node takes new pods, and did not before.

    Source: pkg/scheduler/framework/plugins/nodeunschedulable/node_unschedulable.go isSchedulableAfterNodeChange.
    """
    return new is not None and not new.spec.unschedulable and (old is None or old.spec.unschedulable)


def tolerates_cordon(pod: Pod, old: Pod | None, new: Pod | None) -> bool:
    """NodeUnschedulable: the pod itself has come to tolerate cordoned nodes.

    Source: pkg/scheduler/framework/plugins/nodeunschedulable/node_unschedulable.go
    isSchedulableAfterPodTolerationChange.
    """
    return new is not None and _same(pod, new) and is_tolerated(UNSCHEDULABLE_TAINT, new.spec.tolerations)


def taints_went(pod: Pod, old: Node | None, new: Node | None) -> bool:
    """TaintToleration: the pod tolerates all taints of the node that keep pods off, and did not before.

    Source: pkg/scheduler/framework/plugins/tainttoleration/taint_toleration.go isSchedulableAfterNodeChange.
    """

    def kept_off(node: Node) -> bool:
        return find_untolerated(node.spec.taints, pod.spec.tolerations, KEEPS_OFF) is not None

    return new is not None and not kept_off(new) and (old is None or kept_off(old))


def itself(pod: Pod, old: Pod | None, new: Pod | None) -> bool:
    """TaintToleration: it is the pod itself that has changed.

    Source: pkg/scheduler/framework/plugins/tainttoleration/taint_toleration.go isSchedulableAfterPodTolerationChange.
    """
    return new is not None and _same(pod, new)


def node_matches_now(pod: Pod, old: Node | None, new: Node | None) -> bool:
    """NodeAffinity: the node is one that the pod requires, and was none before.

    Source: pkg/scheduler/framework/plugins/nodeaffinity/node_affinity.go isSchedulableAfterNodeChange.
    """
    if new is None or not required_node_affinity_matches(pod, new):
        return False
    return old is None or not required_node_affinity_matches(pod, old)


def port_freed(pod: Pod, old: Pod | None, new: Pod | None) -> bool:
    """NodePorts: a pod that has left its node took one of the ports that the pod wants.

    Source: pkg/scheduler/framework/plugins/nodeports/node_ports.go isSchedulableAfterPodDeleted.
    """
    if old is None or not old.spec.node_name:
        return False
    return any(port.conflicts(used) for port in host_ports(pod) for used in host_ports(old))


def room_made(pod: Pod, old: Pod | None, new: Pod | None) -> bool:
    """NodeResourcesFit: a pod has left its node, or takes less there of what the pod wants; or the pod wants less.

    Source: pkg/scheduler/framework/plugins/noderesources/fit.go isSchedulableAfterPodEvent,
    isSchedulableAfterPodScaleDown.
    """
    if old is None:
        return False
    if new is None:
        return bool(old.spec.node_name)
    if _same(pod, new):
        return True
    if not new.spec.node_name:
        return False
    before, after = requested_by(old), requested_by(new)
    return any(before.get(name, 0) > after.get(name, 0) for name, amount in requested_by(pod).items() if amount)


def node_has_more(pod: Pod, old: Node | None, new: Node | None) -> bool:
    """NodeResourcesFit: the pod fits the empty node, which has more than before of something that it wants.

    Source: pkg/scheduler/framework/plugins/noderesources/fit.go isSchedulableAfterNodeChange,
    haveAnyRequestedResourcesIncreased.
    """
    if new is None or not filter_node_resources_fit(pod, NodeInfo(new), Snapshot()).fits:
        return False
    if old is None:
        return True
    before, after = units(old.status.allocatable), units(new.status.allocatable)
    wanted = ("pods", *(name for name, amount in requested_by(pod).items() if amount))
    return any(after.get(name, 0) > before.get(name, 0) for name in wanted)


def spread_changed_by_pod(pod: Pod, old: Pod | None, new: Pod | None) -> bool:
    """PodTopologySpread: a pod that one of the constraints counts has come or gone, or is counted now or no longer.

    Source: pkg/scheduler/framework/plugins/podtopologyspread/plugin.go isSchedulableAfterPodChange.
    """
    if any(each is not None and not _involved(pod, each) for each in (old, new)):
        return False
    constraints = _hard_constraints(pod)
    if old is None or new is None:
        labels = (old or new or pod).metadata.labels
        return any(matches(each.label_selector, labels) for each in constraints)
    honours_taints = any(each.node_taints_policy == "Honor" for each in constraints)
    if _same(pod, new) and old.spec.tolerations != new.spec.tolerations and honours_taints:
        return True
    return any(
        matches(each.label_selector, old.metadata.labels) != matches(each.label_selector, new.metadata.labels)
        for each in constraints
    )


def spread_changed_by_node(pod: Pod, old: Node | None, new: Node | None) -> bool:
    """PodTopologySpread: a node has come into the domains of the constraints, left them, or changed in them.

    Source: pkg/scheduler/framework/plugins/podtopologyspread/plugin.go isSchedulableAfterNodeChange.
    """
    constraints = _hard_constraints(pod)
    was = old is not None and has_all_keys(old, constraints)
    now = new is not None and has_all_keys(new, constraints)
    if old is None or new is None or was != now:
        return was or now
    keys = [each.topology_key for each in constraints]
    moved = any(old.metadata.labels.get(key) != new.metadata.labels.get(key) for key in keys)
    return now and (moved or old.spec.taints != new.spec.taints)


def affinity_changed_by_pod(pod: Pod, old: Pod | None, new: Pod | None) -> bool:
    """InterPodAffinity: a pod has become one that the pod requires, or ceased to be one that keeps it away.

    Source: pkg/scheduler/framework/plugins/interpodaffinity/plugin.go isSchedulableAfterPodChange;
    https://github.com/kubernetes/kubernetes/pull/135325.
    """
    if new is not None and _same(pod, new):
        return True
    if any(each is not None and not each.spec.node_name for each in (old, new)):
        return False
    terms, against = required_affinity_terms(pod), required_anti_affinity_terms(pod)
    if old is None:
        return new is not None and _all_match(terms, pod, new)
    if new is None:
        theirs = required_anti_affinity_terms(old)
        return any(_matches(each, pod, old) for each in against) or any(_matches(each, old, pod) for each in theirs)
    if not _all_match(terms, pod, old) and _all_match(terms, pod, new):
        return True
    return any(_matches(each, pod, old) and not _matches(each, pod, new) for each in against)


def affinity_changed_by_node(pod: Pod, old: Node | None, new: Node | None) -> bool:
    """InterPodAffinity: a node has come, or changed, in a domain that one of the pod's terms speaks of.

    Source: pkg/scheduler/framework/plugins/interpodaffinity/plugin.go isSchedulableAfterNodeChange.
    Simplifies: a pod that has no terms of its own, and is kept away by those of others, is woken by every node.
    """
    if new is None:
        return False
    near = [each.topology_key for each in required_affinity_terms(pod)]
    away = [each.topology_key for each in required_anti_affinity_terms(pod)]
    if not near and not away:
        return True
    labels = new.metadata.labels
    if old is None:
        return bool(away) or any(key in labels for key in near)
    before = old.metadata.labels
    if any(key in labels and labels[key] != before.get(key) for key in near):
        return True
    return any(key in before and labels.get(key) != before[key] for key in away)


OF_PODS: Mapping[str, tuple[tuple[tuple[str, ...], OfPod], ...]] = {
    "NodeUnschedulable": (((POD_TOLERATION,), tolerates_cordon),),
    "NodeName": (),
    "TaintToleration": (((POD_TOLERATION,), itself),),
    "NodeAffinity": (),
    "NodePorts": (((DELETE,), port_freed),),
    "NodeResourcesFit": (((DELETE, POD_SCALE_DOWN), room_made),),
    "PodTopologySpread": (((ADD, POD_LABEL, POD_TOLERATION, DELETE), spread_changed_by_pod),),
    "InterPodAffinity": (((ADD, POD_LABEL, DELETE), affinity_changed_by_pod),),
}
"""Plugin -> the events of pods that it has registered, with their hints."""

OF_NODES: Mapping[str, tuple[tuple[tuple[str, ...], OfNode], ...]] = {
    "NodeUnschedulable": (((ADD, NODE_TAINT), node_opened),),
    "NodeName": (((ADD,), always),),
    "TaintToleration": (((ADD, NODE_TAINT), taints_went),),
    "NodeAffinity": (((ADD, NODE_LABEL), node_matches_now),),
    "NodePorts": (((ADD,), always),),
    "NodeResourcesFit": (((ADD, NODE_ALLOCATABLE), node_has_more),),
    "PodTopologySpread": (((ADD, DELETE, NODE_LABEL, NODE_TAINT), spread_changed_by_node),),
    "InterPodAffinity": (((ADD, NODE_LABEL), affinity_changed_by_node),),
}
"""Plugin -> the events of nodes that it has registered, with their hints."""

REGISTERED = frozenset(OF_PODS)
"""The plugins that have registered events; others care for every event."""


@lru_cache(maxsize=100_000)
def may_help(plugin: str, pod: Pod, event: ClusterEvent) -> bool:
    """Whether an event may change what a plugin says of a pod that it has rejected.

    Source: pkg/scheduler/backend/queue/scheduling_queue.go isPodWorthRequeuing.
    """
    if plugin not in REGISTERED:
        return True
    if event.kind == "Pod":
        old, new = _pod(event.old), _pod(event.new)
        return any(hint(pod, old, new) for on, hint in OF_PODS[plugin] if not set(on).isdisjoint(event.actions))
    if event.kind == "Node":
        was, now = _node(event.old), _node(event.new)
        return any(hint(pod, was, now) for on, hint in OF_NODES[plugin] if not set(on).isdisjoint(event.actions))
    return False


def cares_for_deletions(plugin: str) -> bool:
    """Whether a plugin has registered that pods leave their nodes."""
    return plugin not in REGISTERED or any(DELETE in on for on, _ in OF_PODS[plugin])


def _pod(obj: object) -> Pod | None:
    return obj if isinstance(obj, Pod) else None


def _node(obj: object) -> Node | None:
    return obj if isinstance(obj, Node) else None


def _same(pod: Pod, other: Pod) -> bool:
    return pod.metadata.uid == other.metadata.uid


def _involved(pod: Pod, other: Pod) -> bool:
    return _same(pod, other) or (bool(other.spec.node_name) and other.metadata.namespace == pod.metadata.namespace)


def _hard_constraints(pod: Pod) -> tuple[TopologySpreadConstraint, ...]:
    own = pod.spec.topology_spread_constraints
    return tuple(with_label_keys(each, pod) for each in own if each.when_unsatisfiable == DO_NOT_SCHEDULE)


def _matches(term: PodAffinityTerm, owner: Pod, other: Pod) -> bool:
    return term_matches(term, owner, other, {})


def _all_match(terms: Iterable[PodAffinityTerm], owner: Pod, other: Pod) -> bool:
    found = tuple(terms)
    return bool(found) and all(_matches(each, owner, other) for each in found)
