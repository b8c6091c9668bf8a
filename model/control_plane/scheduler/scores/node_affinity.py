"""NodeAffinity: prefers nodes that match the pod's preferred node affinity terms.

Source: pkg/scheduler/framework/plugins/nodeaffinity/node_affinity.go.
"""

from __future__ import annotations

from kythera.model.api.core.pod import Pod
from kythera.model.api.core.scheduling import PreferredSchedulingTerm
from kythera.model.api.node_affinity import preferred_node_affinity_score
from kythera.model.control_plane.scheduler.node_info import NodeInfo, Snapshot
from kythera.model.control_plane.scheduler.scores.normalise import proportional


def score_node_affinity(
    pod: Pod,
    nodes: tuple[NodeInfo, ...],
    snapshot: Snapshot,
    added: tuple[PreferredSchedulingTerm, ...] = (),
) -> dict[str, int]:
    """0 to 100 per node, in proportion to the sum of the weights of the preferred terms that match it.

    ``added`` are the preferred terms of the profile's ``addedAffinity``.
    Source: pkg/scheduler/framework/plugins/nodeaffinity/node_affinity.go Score, NormalizeScore.
    """
    affinity = pod.spec.affinity.node_affinity if pod.spec.affinity is not None else None
    terms = affinity.preferred_during_scheduling_ignored_during_execution if affinity is not None else ()
    points = {info.node.metadata.name: preferred_node_affinity_score((*added, *terms), info.node) for info in nodes}
    return proportional(points)
