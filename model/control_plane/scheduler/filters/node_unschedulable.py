"""NodeUnschedulable: keeps pods off cordoned nodes, unless they tolerate the taint that says the same.

Source: pkg/scheduler/framework/plugins/nodeunschedulable/node_unschedulable.go.
"""

from __future__ import annotations

from kythera.model.api.core.pod import Pod
from kythera.model.api.core.scheduling import Taint
from kythera.model.api.taints import NO_SCHEDULE, is_tolerated
from kythera.model.control_plane.scheduler.filters.verdict import FIT, Verdict, unresolvable
from kythera.model.control_plane.scheduler.node_info import NodeInfo, Snapshot

UNSCHEDULABLE_TAINT = Taint(key="node.kubernetes.io/unschedulable", effect=NO_SCHEDULE)


def filter_node_unschedulable(pod: Pod, node_info: NodeInfo, snapshot: Snapshot) -> Verdict:
    """Whether the node takes new pods, or the pod doesn't mind.

    Source: pkg/scheduler/framework/plugins/nodeunschedulable/node_unschedulable.go Filter.
    """
    if not node_info.node.spec.unschedulable or is_tolerated(UNSCHEDULABLE_TAINT, pod.spec.tolerations):
        return FIT
    return unresolvable("node(s) were unschedulable")
