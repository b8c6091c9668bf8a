"""What the scheduler reads of each object that it watches: a change of anything else wakes nobody.

Source: pkg/scheduler/scheduler.go NewInformerFactory (pods that have ended are not watched);
pkg/scheduler/framework/events.go PodSchedulingPropertiesChange, NodeSchedulingPropertiesChange.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kythera.model.api.apps import ReplicaSet, ReplicaSetSpec
from kythera.model.api.core.cluster import Namespace
from kythera.model.api.core.container import Container
from kythera.model.api.core.node import Node, NodeSpec, NodeStatus
from kythera.model.api.core.pod import Pod, PodSpec, PodStatus
from kythera.model.api.core.service import Service, ServiceSpec
from kythera.model.api.meta import ObjectMeta, deletion_mark, identity
from kythera.model.api.pods import condition, controller_of, is_terminal
from kythera.model.control_plane.scheduler.queue import POD_SCHEDULED
from kythera.model.record import Record, replace


def pod_shape(pod: Pod) -> Pod | None:
    """Of a pod on a node, what other pods' placement depends on; of a waiting one, also what its own does.

    Of a waiting pod's status only PodScheduled is seen, which the scheduler itself writes; a pod that has ended is
    not seen at all.
    """
    if is_terminal(pod):
        return None
    meta, spec = pod.metadata, pod.spec
    kept = replace(
        identity(meta),
        labels=meta.labels,
        deletion_timestamp=deletion_mark(meta),
    )
    seen = PodSpec(
        node_name=spec.node_name or None,
        containers=tuple(_container(each, not spec.node_name) for each in spec.containers),
        init_containers=tuple(_container(each, not spec.node_name) for each in spec.init_containers),
        affinity=spec.affinity,
        priority=spec.priority,
        overhead=spec.overhead,
        resources=spec.resources,
        host_network=spec.host_network,
        volumes=spec.volumes,
    )
    if spec.node_name:
        return Pod(kept, seen)
    owner = controller_of(pod)
    scheduled = condition(pod.status.conditions, POD_SCHEDULED)
    return Pod(
        replace(kept, owner_references=() if owner is None else (owner,)),
        replace(
            seen,
            node_selector=spec.node_selector,
            tolerations=spec.tolerations,
            topology_spread_constraints=spec.topology_spread_constraints,
            scheduler_name=spec.scheduler_name,
            scheduling_gates=spec.scheduling_gates,
            preemption_policy=spec.preemption_policy,
        ),
        PodStatus(conditions=() if scheduled is None else (scheduled,)),
    )


def _container(container: Container, with_image: bool) -> Container:
    return Container(
        image=container.image if with_image else "",
        ports=tuple(port for port in container.ports if port.host_port),
        resources=container.resources,
        restart_policy=container.restart_policy,
    )


def node_shape(node: Node) -> Node:
    """A node's labels, taints, whether it takes new pods, what it has to give, and its images."""
    meta, spec = node.metadata, node.spec
    return Node(
        ObjectMeta(name=meta.name, uid=meta.uid, labels=meta.labels),
        NodeSpec(spec.unschedulable, tuple(replace(taint, time_added=None) for taint in spec.taints)),
        NodeStatus(allocatable=node.status.allocatable, images=node.status.images),
    )


def namespace_shape(namespace: Namespace) -> Namespace:
    """A namespace's labels: affinity terms may select namespaces by them."""
    meta = namespace.metadata
    return Namespace(ObjectMeta(name=meta.name, uid=meta.uid, labels=meta.labels))


def service_shape(service: Service) -> Service:
    """A Service's selector: pods of one Service are spread by default."""
    meta = service.metadata
    return Service(
        ObjectMeta(name=meta.name, namespace=meta.namespace, uid=meta.uid),
        ServiceSpec(selector=service.spec.selector),
    )


def replica_set_shape(replica_set: ReplicaSet) -> ReplicaSet:
    """A ReplicaSet's selector: its pods are spread by default."""
    meta = replica_set.metadata
    return ReplicaSet(
        ObjectMeta(name=meta.name, namespace=meta.namespace, uid=meta.uid),
        ReplicaSetSpec(selector=replica_set.spec.selector),
    )


SHAPES: Mapping[type[Record], Callable[[Any], Record | None]] = {
    Pod: pod_shape,
    Node: node_shape,
    Namespace: namespace_shape,
    Service: service_shape,
    ReplicaSet: replica_set_shape,
}
