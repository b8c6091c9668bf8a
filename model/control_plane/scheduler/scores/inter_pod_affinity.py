"""InterPodAffinity: prefers nodes near pods that the pod wants to be near to, or that want to be near to it.

Source: pkg/scheduler/framework/plugins/interpodaffinity/scoring.go.
"""

from __future__ import annotations

from collections.abc import Iterator

from kythera.model.api.core.pod import Pod
from kythera.model.api.core.scheduling import PodAffinityTerm
from kythera.model.api.pod_affinity import (
    preferred_affinity_terms,
    preferred_anti_affinity_terms,
    required_affinity_terms,
    term_matches,
)
from kythera.model.control_plane.scheduler.node_info import NodeInfo, Snapshot
from kythera.model.control_plane.scheduler.scores.normalise import MAX_NODE_SCORE

Weighted = tuple[int, PodAffinityTerm]


def score_inter_pod_affinity(
    pod: Pod,
    nodes: tuple[NodeInfo, ...],
    snapshot: Snapshot,
    hard_pod_affinity_weight: int = 1,
    ignore_preferred_terms_of_existing_pods: bool = False,
) -> dict[str, int]:
    """0 to 100 per node: how far it lies between the least and the greatest sum of weights.

    A term adds its weight to every node of the topology domain in which it is met: preferred affinity terms
    count for a node, preferred anti-affinity terms against it. They are the pod's own, met by pods that
    exist; those of pods that exist, met by this pod; and required affinity terms of pods that exist, at
    ``hard_pod_affinity_weight``.
    Source: pkg/scheduler/framework/plugins/interpodaffinity/scoring.go PreScore, Score, NormalizeScore.
    """
    namespaces = snapshot.namespace_labels
    own = tuple(_preferred(pod))
    if not own and ignore_preferred_terms_of_existing_pods:
        return dict.fromkeys((info.node.metadata.name for info in nodes), 0)
    points: dict[tuple[str, str], int] = {}
    for info in snapshot.nodes:
        labels = info.node.metadata.labels
        for existing in info.pods:
            met = [term for term in own if term_matches(term[1], pod, existing, namespaces)]
            theirs = (*_required(existing, hard_pod_affinity_weight), *_preferred(existing))
            met += [term for term in theirs if term_matches(term[1], existing, pod, namespaces)]
            for weight, term in met:
                if term.topology_key in labels:
                    domain = (term.topology_key, labels[term.topology_key])
                    points[domain] = points.get(domain, 0) + weight
    sums = {
        info.node.metadata.name: sum(
            weight for (key, value), weight in points.items() if info.node.metadata.labels.get(key) == value
        )
        for info in nodes
    }
    least, most = min(sums.values(), default=0), max(sums.values(), default=0)
    if most == least:
        return dict.fromkeys(sums, 0)
    return {node: int(MAX_NODE_SCORE * ((value - least) / (most - least))) for node, value in sums.items()}


def _preferred(pod: Pod) -> Iterator[Weighted]:
    """The preferred terms of a pod with their weights, those of anti-affinity negative."""
    for each in preferred_affinity_terms(pod):
        yield each.weight, each.pod_affinity_term
    for each in preferred_anti_affinity_terms(pod):
        yield -each.weight, each.pod_affinity_term


def _required(pod: Pod, weight: int) -> Iterator[Weighted]:
    """The required affinity terms of a pod at a weight; none at weight 0."""
    if weight > 0:
        for term in required_affinity_terms(pod):
            yield weight, term
