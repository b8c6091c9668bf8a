"""Score plugins: which of the nodes that fit suits a pod best.

Each plugin gives every node 0 to 100, and the profile weighs and adds them up.

Source: pkg/scheduler/apis/config/v1/default_plugins.go getDefaultPlugins;
pkg/scheduler/framework/runtime/framework.go RunScorePlugins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from kythera.model.api.core.pod import Pod
from kythera.model.control_plane.scheduler.node_info import NodeInfo, Snapshot
from kythera.model.control_plane.scheduler.scores.image_locality import score_image_locality
from kythera.model.control_plane.scheduler.scores.inter_pod_affinity import score_inter_pod_affinity
from kythera.model.control_plane.scheduler.scores.node_affinity import score_node_affinity
from kythera.model.control_plane.scheduler.scores.node_resources_balanced_allocation import (
    score_node_resources_balanced_allocation,
)
from kythera.model.control_plane.scheduler.scores.node_resources_fit import score_node_resources_fit
from kythera.model.control_plane.scheduler.scores.pod_topology_spread import score_pod_topology_spread
from kythera.model.control_plane.scheduler.scores.taint_toleration import score_taint_toleration

ScoreFunction = Callable[[Pod, tuple[NodeInfo, ...], Snapshot], dict[str, int]]


@dataclass(frozen=True, slots=True)
class Score:
    """A score plugin: its name, its weight in the default profile, and its function."""

    name: str
    weight: int
    function: ScoreFunction


SCORES: tuple[Score, ...] = (
    Score("TaintToleration", 3, score_taint_toleration),
    Score("NodeAffinity", 2, score_node_affinity),
    Score("NodeResourcesFit", 1, score_node_resources_fit),
    Score("PodTopologySpread", 2, score_pod_topology_spread),
    Score("InterPodAffinity", 2, score_inter_pod_affinity),
    Score("NodeResourcesBalancedAllocation", 1, score_node_resources_balanced_allocation),
    Score("ImageLocality", 1, score_image_locality),
)
"""The default profile.  VolumeBinding scores only behind a feature gate that is off by default."""


def total_scores(
    pod: Pod, nodes: tuple[NodeInfo, ...], snapshot: Snapshot, scores: tuple[Score, ...] = SCORES
) -> dict[str, int]:
    """The weighted sum of all plugins' scores per node.

    Source: pkg/scheduler/framework/runtime/framework.go RunScorePlugins.
    """
    total = dict.fromkeys((info.node.metadata.name for info in nodes), 0)
    for score in scores:
        for node, value in score.function(pod, nodes, snapshot).items():
            total[node] += value * score.weight
    return total
