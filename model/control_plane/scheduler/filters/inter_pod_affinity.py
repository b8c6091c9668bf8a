"""InterPodAffinity: keeps pods near to those that they require and away from those that either rules out.

Near and away are said of topology domains: all nodes that have the same value of a label.

Source: pkg/scheduler/framework/plugins/interpodaffinity/filtering.go.
"""

from __future__ import annotations

from functools import lru_cache

from kythera.model.api.core.pod import Pod
from kythera.model.api.pod_affinity import (
    affinity_errors,
    required_affinity_terms,
    required_anti_affinity_terms,
    term_matches,
)
from kythera.model.control_plane.scheduler.filters.verdict import FIT, Verdict, unresolvable, unschedulable
from kythera.model.control_plane.scheduler.node_info import NodeInfo, Snapshot
from kythera.model.record import Map

Domain = tuple[str, str]
"""A topology key and a value of it."""


def filter_inter_pod_affinity(pod: Pod, node_info: NodeInfo, snapshot: Snapshot) -> Verdict:
    """Whether the node lies in domains that the pod's required terms, and those of the pods there, allow.

    A pod that requires pods like itself may be the first of them, anywhere that has the topology keys.  A pod of
    whose terms some can't be read fits nowhere.
    Source: pkg/scheduler/framework/plugins/interpodaffinity/filtering.go PreFilter, Filter, satisfyPodAffinity,
    satisfyPodAntiAffinity, satisfyExistingPodsAntiAffinity.
    """
    errors = affinity_errors(pod.spec.affinity) if pod.spec.affinity is not None else ()
    if errors:
        listed = ", ".join(errors)
        return unresolvable(f"parsing pod: {listed if len(errors) == 1 else f'[{listed}]'}")
    labels = node_info.node.metadata.labels
    if not _near(pod, labels, snapshot):
        return unresolvable("node(s) didn't match pod affinity rules")
    ruled_out = domains_ruled_out(pod, snapshot)
    for term in required_anti_affinity_terms(pod):
        if (term.topology_key, labels.get(term.topology_key)) in ruled_out:
            return unschedulable("node(s) didn't match pod anti-affinity rules", term.topology_key)
    for key, value in domains_that_rule_out(pod, snapshot):
        if labels.get(key) == value:
            return unschedulable("node(s) didn't satisfy existing pods anti-affinity rules", key)
    return FIT


def _near(pod: Pod, labels: Map[str], snapshot: Snapshot) -> bool:
    terms = required_affinity_terms(pod)
    if not terms:
        return True
    if any(term.topology_key not in labels for term in terms):
        return False
    domains = domains_required(pod, snapshot)
    if all((term.topology_key, labels[term.topology_key]) in domains for term in terms):
        return True
    return not domains and _matches_all(pod, pod, snapshot)


@lru_cache(maxsize=50_000)
def domains_required(pod: Pod, snapshot: Snapshot) -> frozenset[Domain]:
    """The domains in which there is a pod that all required affinity terms of the pod speak of.

    Source: pkg/scheduler/framework/plugins/interpodaffinity/filtering.go
    getIncomingAffinityAntiAffinityCounts.
    """
    terms = required_affinity_terms(pod)
    found: set[Domain] = set()
    if terms:
        for info in snapshot.nodes:
            labels = info.node.metadata.labels
            domains = {(term.topology_key, labels[term.topology_key]) for term in terms if term.topology_key in labels}
            if not domains <= found and any(_matches_all(pod, existing, snapshot) for existing in info.pods):
                found |= domains
    return frozenset(found)


@lru_cache(maxsize=50_000)
def domains_ruled_out(pod: Pod, snapshot: Snapshot) -> frozenset[Domain]:
    """The domains in which there is a pod that a required anti-affinity term of the pod speaks of.

    Source: pkg/scheduler/framework/plugins/interpodaffinity/filtering.go
    getIncomingAffinityAntiAffinityCounts.
    """
    terms, namespaces = required_anti_affinity_terms(pod), snapshot.namespace_labels
    return frozenset(
        (term.topology_key, info.node.metadata.labels[term.topology_key])
        for term in terms
        for info in snapshot.nodes
        if term.topology_key in info.node.metadata.labels
        and any(term_matches(term, pod, existing, namespaces) for existing in info.pods)
    )


@lru_cache(maxsize=50_000)
def domains_that_rule_out(pod: Pod, snapshot: Snapshot) -> frozenset[Domain]:
    """The domains in which there is a pod with a required anti-affinity term that speaks of the pod.

    Source: pkg/scheduler/framework/plugins/interpodaffinity/filtering.go getExistingAntiAffinityCounts.
    """
    namespaces = snapshot.namespace_labels
    return frozenset(
        (term.topology_key, info.node.metadata.labels[term.topology_key])
        for info in snapshot.nodes
        for existing in info.pods_with_required_anti_affinity
        for term in required_anti_affinity_terms(existing)
        if term.topology_key in info.node.metadata.labels and term_matches(term, existing, pod, namespaces)
    )


def _matches_all(pod: Pod, other: Pod, snapshot: Snapshot) -> bool:
    namespaces = snapshot.namespace_labels
    return all(term_matches(term, pod, other, namespaces) for term in required_affinity_terms(pod))
