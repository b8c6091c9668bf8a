"""The strategies that evict pods from nodes that the scheduler would not choose any more.

Source: sigs.k8s.io/descheduler pkg/framework/plugins/removepodsviolating*.
"""

from __future__ import annotations

from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod
from kythera.model.api.labels import matches
from kythera.model.api.node_affinity import required_node_affinity_matches, required_node_selector
from kythera.model.api.pod_affinity import required_anti_affinity_terms
from kythera.model.api.taints import NO_SCHEDULE, find_untolerated
from kythera.model.control_plane.controllers.descheduler.situation import Situation, eviction_order, fits


def remove_pods_violating_node_taints(now: Situation) -> tuple[Pod, ...]:
    """Pods that do not tolerate a NoSchedule taint that their node got after they came.

    Source: sigs.k8s.io/descheduler pkg/framework/plugins/removepodsviolatingnodetaints/node_taint.go Deschedule.
    """
    return tuple(
        pod
        for node in now.nodes
        for pod in now.on(node)
        if now.may_go(pod) and find_untolerated(node.spec.taints, pod.spec.tolerations, (NO_SCHEDULE,)) is not None
    )


def remove_pods_violating_node_affinity(now: Situation) -> tuple[Pod, ...]:
    """Pods whose required node affinity their node does not match any more, if some node would fit.

    Source: sigs.k8s.io/descheduler pkg/framework/plugins/removepodsviolatingnodeaffinity/node_affinity.go Deschedule.
    Simplifies: preferred node affinity is not looked at.
    """
    return tuple(
        pod
        for node in now.nodes
        for pod in now.on(node)
        if required_node_selector(pod) is not None
        and now.may_go(pod)
        and not required_node_affinity_matches(pod, node)
        and any(fits(pod, other, now) for other in now.nodes)
    )


def remove_pods_violating_inter_pod_anti_affinity(now: Situation) -> tuple[Pod, ...]:
    """Pods whose required anti-affinity speaks of another pod in the same domain, until none is left.

    On each node the pods that are easiest to give up go first.
    Source: sigs.k8s.io/descheduler
    pkg/framework/plugins/removepodsviolatinginterpodantiaffinity/pod_antiaffinity.go Deschedule.
    """
    left, chosen = now, []
    for node in now.nodes:
        for pod in sorted(now.on(node), key=eviction_order):
            if has_a_foe(pod, node, left) and now.may_go(pod):
                chosen.append(pod)
                left = left.without((pod,))
    return tuple(chosen)


def has_a_foe(pod: Pod, node: Node, there: Situation) -> bool:
    """Whether a pod that a required anti-affinity term of this one speaks of is in the same domain.

    Source: sigs.k8s.io/descheduler pkg/utils/predicates.go CheckPodsWithAntiAffinityExist.
    Simplifies: as upstream, namespace selectors are not looked at.
    """
    for term in required_anti_affinity_terms(pod):
        domain = node.metadata.labels.get(term.topology_key)
        namespaces = term.namespaces or (pod.metadata.namespace,)
        for other in there.pods:
            where = there.node_of(other)
            if (
                other.metadata.uid != pod.metadata.uid
                and other.metadata.namespace in namespaces
                and matches(term.label_selector, other.metadata.labels)
                and domain is not None
                and where is not None
                and where.metadata.labels.get(term.topology_key) == domain
            ):
                return True
    return False
