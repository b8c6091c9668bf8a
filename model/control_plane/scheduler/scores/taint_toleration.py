"""TaintToleration: prefers nodes with few PreferNoSchedule taints that the pod does not tolerate.

Source: pkg/scheduler/framework/plugins/tainttoleration/taint_toleration.go.
"""

from __future__ import annotations

from kythera.model.api.core.pod import Pod
from kythera.model.api.taints import PREFER_NO_SCHEDULE, is_tolerated
from kythera.model.control_plane.scheduler.node_info import NodeInfo, Snapshot
from kythera.model.control_plane.scheduler.scores.normalise import proportional


def score_taint_toleration(pod: Pod, nodes: tuple[NodeInfo, ...], snapshot: Snapshot) -> dict[str, int]:
    """0 to 100 per node: 100 without such taints, 0 for the node that has the most of them.

    Source: pkg/scheduler/framework/plugins/tainttoleration/taint_toleration.go Score, NormalizeScore.
    """
    tolerations = [t for t in pod.spec.tolerations if t.effect in ("", PREFER_NO_SCHEDULE)]
    points = {
        info.node.metadata.name: sum(
            taint.effect == PREFER_NO_SCHEDULE and not is_tolerated(taint, tolerations)
            for taint in info.node.spec.taints
        )
        for info in nodes
    }
    return proportional(points, reverse=True)
