"""What strategies look at: the nodes that are ready, the pods on them, which of these may be evicted, what fits where.

Source: sigs.k8s.io/descheduler pkg/framework/plugins/defaultevictor/defaultevictor.go, pkg/descheduler/node/node.go.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache

from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod, Volume
from kythera.model.api.labels import matches
from kythera.model.api.node_affinity import required_node_affinity_matches
from kythera.model.api.pod_affinity import required_anti_affinity_terms
from kythera.model.api.pods import condition, is_terminal, is_terminating
from kythera.model.api.quantity import milli_value, value
from kythera.model.api.requests import pod_requests, qos_class
from kythera.model.api.taints import find_untolerated
from kythera.model.record import EMPTY, Map, Record, record

SYSTEM_CRITICAL_PRIORITY = 2_000_000_000

EVICT_ANNOTATION = "descheduler.alpha.kubernetes.io/evict"
MIRROR_ANNOTATION = "kubernetes.io/config.mirror"
SOURCE_ANNOTATION = "kubernetes.io/config.source"

LOCAL_STORAGE = frozenset({"emptyDir", "hostPath"})

CPU, MEMORY, PODS = "cpu", "memory", "pods"

QOS_ORDER = ("BestEffort", "Burstable", "Guaranteed")


@record
class Situation(Record):
    """The nodes that are ready, and the pods on them that have not ended.

    ``node_fit``: whether a pod is evicted only if another node could take it.
    """

    nodes: tuple[Node, ...] = ()
    pods: tuple[Pod, ...] = ()
    node_fit: bool = False

    def on(self, node: Node) -> tuple[Pod, ...]:
        """The pods on a node."""
        return tuple(pod for pod in self.pods if pod.spec.node_name == node.metadata.name)

    def node_of(self, pod: Pod) -> Node | None:
        """The node that a pod is on."""
        return next((node for node in self.nodes if node.metadata.name == pod.spec.node_name), None)

    def may_go(self, pod: Pod) -> bool:
        """Whether a strategy may evict a pod.

        Source: sigs.k8s.io/descheduler pkg/framework/plugins/defaultevictor/defaultevictor.go Filter,
        PreEvictionFilter.
        """
        return is_evictable(pod) and (not self.node_fit or fits_elsewhere(pod, self.nodes, self))

    def without(self, pods: Iterable[Pod]) -> Situation:
        """The situation as if these pods were gone."""
        gone = {pod.metadata.uid for pod in pods}
        left = tuple(pod for pod in self.pods if pod.metadata.uid not in gone)
        return Situation(self.nodes, left, self.node_fit)


def situation(nodes: Iterable[Node], pods: Iterable[Pod], node_fit: bool = False) -> Situation:
    """The part of a cluster that strategies look at.

    Source: sigs.k8s.io/descheduler pkg/descheduler/node/node.go ReadyNodes, pkg/descheduler/pod/pods.go
    ListPodsOnANode.
    """
    ready = tuple(node for node in nodes if is_ready(node))
    names = {node.metadata.name for node in ready}
    there = tuple(pod for pod in pods if pod.spec.node_name in names and not is_terminal(pod))
    return Situation(ready, there, node_fit)


def is_ready(node: Node) -> bool:
    """Whether a node is ready, or says nothing about it."""
    ready = condition(node.status.conditions, "Ready")
    return ready is None or ready.status == "True"


def is_evictable(pod: Pod) -> bool:
    """Whether a pod is of a kind that may be evicted: it has an owner who makes another, and nothing ties it down.

    An annotation may ask for it whatever else is said.
    Source: sigs.k8s.io/descheduler pkg/framework/plugins/defaultevictor/defaultevictor.go Filter, with the protections
    that are on by default.
    """
    annotations = pod.metadata.annotations
    if EVICT_ANNOTATION in annotations:
        return True
    owners = pod.metadata.owner_references
    return not (
        MIRROR_ANNOTATION in annotations
        or annotations.get(SOURCE_ANNOTATION, "api") != "api"
        or is_terminating(pod)
        or (pod.spec.priority is not None and pod.spec.priority >= SYSTEM_CRITICAL_PRIORITY)
        or not owners
        or any(owner.kind == "DaemonSet" for owner in owners)
        or any(_is_local(volume) for volume in pod.spec.volumes)
    )


def _is_local(volume: Volume) -> bool:
    return bool(volume.opaque) and bool(LOCAL_STORAGE & json.loads(volume.opaque).keys())


def eviction_order(pod: Pod) -> tuple[bool, int, int]:
    """What pods are sorted by, those that are given up first in front: by priority, then by quality of service.

    Source: sigs.k8s.io/descheduler pkg/descheduler/pod/pods.go SortPodsBasedOnPriorityLowToHigh.
    """
    return pod.spec.priority is not None, pod.spec.priority or 0, QOS_ORDER.index(qos_class(pod))


@lru_cache(maxsize=50_000)
def fits(pod: Pod, node: Node, there: Situation) -> bool:
    """Whether a node could take a pod, as the descheduler judges it (more simply than the scheduler).

    Source: sigs.k8s.io/descheduler pkg/descheduler/node/node.go NodeFit.
    """
    return (
        not node.spec.unschedulable
        and required_node_affinity_matches(pod, node)
        and find_untolerated(node.spec.taints, pod.spec.tolerations) is None
        and not _meets_a_foe(pod, node, there)
        and (pod.spec.node_name == node.metadata.name or _has_room(pod, node, there))
    )


def fits_elsewhere(pod: Pod, nodes: Iterable[Node], there: Situation) -> bool:
    """Whether any of these nodes but its own could take a pod.

    Source: sigs.k8s.io/descheduler pkg/descheduler/node/node.go PodFitsAnyOtherNode.
    """
    return any(fits(pod, node, there) for node in nodes if node.metadata.name != pod.spec.node_name)


def _meets_a_foe(pod: Pod, node: Node, there: Situation) -> bool:
    """Whether a pod's required anti-affinity speaks of a pod on a node.

    Simplifies: as upstream, namespace selectors are not looked at.
    """
    for term in required_anti_affinity_terms(pod):
        namespaces = term.namespaces or (pod.metadata.namespace,)
        for other in there.on(node):
            if (
                other.metadata.uid != pod.metadata.uid
                and other.metadata.namespace in namespaces
                and matches(term.label_selector, other.metadata.labels)
                and term.topology_key in node.metadata.labels
            ):
                return True
    return False


def _has_room(pod: Pod, node: Node, there: Situation) -> bool:
    used = usage(there.on(node))
    free = {name: amount - used.get(name, 0) for name, amount in capacity(node).items()}
    asked = usage((pod,)).without(PODS)
    return free.get(PODS, 0) > 0 and all(amount <= free.get(name, 0) for name, amount in asked.items())


@lru_cache(maxsize=50_000)
def usage(pods: tuple[Pod, ...]) -> Map[int]:
    """What pods request together: cpu in thousandths, everything else in whole units, and how many they are.

    Source: sigs.k8s.io/descheduler pkg/descheduler/node/node.go NodeUtilization.
    """
    total: dict[str, int] = {CPU: 0, MEMORY: 0, PODS: len(pods)}
    for pod in pods:
        for name, amount in pod_requests(pod).items():
            total[name] = total.get(name, 0) + (milli_value(amount) if name == CPU else value(amount))
    return Map(total)


def capacity(node: Node) -> Map[int]:
    """What a node has for pods, in the units of ``usage``.

    Source: sigs.k8s.io/descheduler pkg/framework/plugins/nodeutilization/nodeutilization.go
    referencedResourceListForNodeCapacity.
    """
    amounts = node.status.allocatable or node.status.capacity or EMPTY
    return Map({name: milli_value(amount) if name == CPU else value(amount) for name, amount in amounts.items()})
