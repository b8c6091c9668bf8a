"""What the scheduler knows in one cycle: the nodes with the pods on them, and what else plugins read.

Amounts of resources are whole numbers as the scheduler counts them: CPU in thousandths, everything else in
its own unit, each pod's request rounded up before it is added.

Source: pkg/scheduler/framework/types.go NodeInfo, Resource; pkg/scheduler/backend/cache/snapshot.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from kythera.model.api.apps import ReplicaSet
from kythera.model.api.core.cluster import Namespace
from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod
from kythera.model.api.core.service import Service
from kythera.model.api.pods import is_terminal
from kythera.model.api.quantity import Quantity, milli_value, value
from kythera.model.api.requests import is_sidecar, pod_requests
from kythera.model.record import Map, Record, record

CPU = "cpu"
MEMORY = "memory"
EPHEMERAL_STORAGE = "ephemeral-storage"
PODS = "pods"

ANY_ADDRESS = "0.0.0.0"


@record
class HostPort(Record):
    """A port of a node that a pod takes; on ``ANY_ADDRESS`` it takes the port of every address."""

    ip: str = ANY_ADDRESS
    protocol: str = "TCP"
    port: int = 0

    def conflicts(self, other: HostPort) -> bool:
        """Whether two pods with these ports can't be on one node.

        Source: pkg/scheduler/framework/types.go HostPortInfo.CheckConflict.
        """
        if (self.protocol, self.port) != (other.protocol, other.port):
            return False
        return self.ip == other.ip or ANY_ADDRESS in (self.ip, other.ip)


@record
class NodeInfo(Record):
    """A node and the pods that run on it, or are bound or assumed to run on it."""

    node: Node = Node()
    pods: tuple[Pod, ...] = ()

    @property
    def allocatable(self) -> Map[int]:
        """What the node has for pods, by resource; ``pods`` among it."""
        return units(self.node.status.allocatable)

    @property
    def requested(self) -> Map[int]:
        """What its pods ask for in all, by resource; ``pods`` is their number."""
        return _requested(self.pods)

    @property
    def used_ports(self) -> frozenset[HostPort]:
        """The ports of the node that its pods take."""
        return _used_ports(self.pods)

    @property
    def pods_with_required_anti_affinity(self) -> tuple[Pod, ...]:
        """The pods that some others must not be near to."""
        return _with_required_anti_affinity(self.pods)


@record
class Snapshot(Record):
    """Everything that plugins may look at in one scheduling cycle; nothing of it changes during the cycle."""

    nodes: tuple[NodeInfo, ...] = ()
    namespaces: tuple[Namespace, ...] = ()
    services: tuple[Service, ...] = ()
    replica_sets: tuple[ReplicaSet, ...] = ()

    @property
    def namespace_labels(self) -> Mapping[str, Map[str]]:
        """The labels of each namespace that is seen, by its name."""
        return _namespace_labels(self.namespaces)


def node_infos(nodes: Iterable[Node], pods: Iterable[Pod]) -> tuple[NodeInfo, ...]:
    """Each node with its pods, in the order in which they are given.

    Pods without a node, on a node that isn't given, and pods that have ended (the scheduler doesn't list
    these) count nowhere.
    Source: pkg/scheduler/backend/cache/cache.go UpdateSnapshot; pkg/scheduler/scheduler.go NewInformerFactory
    (field selector on the phase).
    """
    found = tuple(nodes)
    on: dict[str, list[Pod]] = {node.metadata.name: [] for node in found}
    for pod in pods:
        if pod.spec.node_name in on and not is_terminal(pod):
            on[pod.spec.node_name].append(pod)
    return tuple(_node_info(node, tuple(on[node.metadata.name])) for node in found)


def host_ports(pod: Pod) -> tuple[HostPort, ...]:
    """The ports of its node that a pod takes, those of its sidecars included.

    Source: pkg/scheduler/util/utils.go GetHostPorts.
    """
    return tuple(
        HostPort(port.host_ip or ANY_ADDRESS, port.protocol or "TCP", port.host_port)
        for container in (*filter(is_sidecar, pod.spec.init_containers), *pod.spec.containers)
        for port in container.ports
        if port.host_port > 0
    )


@lru_cache(maxsize=100_000)
def units(resources: Map[Quantity]) -> Map[int]:
    """Quantities as the scheduler counts them, rounded up: thousandths of a CPU, whole units of the rest.

    Source: pkg/scheduler/framework/types.go Resource.Add.
    """
    return Map({name: milli_value(each) if name == CPU else value(each) for name, each in resources.items()})


@lru_cache(maxsize=100_000)
def requested_by(pod: Pod) -> Map[int]:
    """What a pod asks for, as the scheduler counts it.

    Source: pkg/scheduler/framework/plugins/noderesources/fit.go computePodResourceRequest.
    """
    return units(pod_requests(pod))


@lru_cache(maxsize=100_000)
def _node_info(node: Node, pods: tuple[Pod, ...]) -> NodeInfo:
    return NodeInfo(node, pods)


@lru_cache(maxsize=100_000)
def _requested(pods: tuple[Pod, ...]) -> Map[int]:
    total: dict[str, int] = {}
    for pod in pods:
        for name, amount in requested_by(pod).items():
            total[name] = total.get(name, 0) + amount
    return Map({**total, PODS: len(pods)})


@lru_cache(maxsize=100_000)
def _used_ports(pods: tuple[Pod, ...]) -> frozenset[HostPort]:
    return frozenset(port for pod in pods for port in host_ports(pod))


@lru_cache(maxsize=100_000)
def _with_required_anti_affinity(pods: tuple[Pod, ...]) -> tuple[Pod, ...]:
    def has_terms(pod: Pod) -> bool:
        anti = pod.spec.affinity.pod_anti_affinity if pod.spec.affinity is not None else None
        return anti is not None and bool(anti.required_during_scheduling_ignored_during_execution)

    return tuple(filter(has_terms, pods))


@lru_cache(maxsize=10_000)
def _namespace_labels(namespaces: tuple[Namespace, ...]) -> Mapping[str, Map[str]]:
    return {each.metadata.name: each.metadata.labels for each in namespaces}
