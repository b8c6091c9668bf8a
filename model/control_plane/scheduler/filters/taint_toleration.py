"""TaintToleration: keeps pods off nodes with taints that they don't tolerate.

Source: pkg/scheduler/framework/plugins/tainttoleration/taint_toleration.go.
"""

from __future__ import annotations

from kythera.model.api.core.pod import Pod
from kythera.model.api.taints import KEEPS_OFF, find_untolerated
from kythera.model.control_plane.scheduler.filters.verdict import FIT, Verdict, unresolvable
from kythera.model.control_plane.scheduler.node_info import NodeInfo, Snapshot


def filter_taint_toleration(pod: Pod, node_info: NodeInfo, snapshot: Snapshot) -> Verdict:
    """Whether the pod tolerates the node's NoSchedule and NoExecute taints; ``detail`` names the first other.

    Source: pkg/scheduler/framework/plugins/tainttoleration/taint_toleration.go Filter.
    """
    taint = find_untolerated(node_info.node.spec.taints, pod.spec.tolerations, KEEPS_OFF)
    if taint is None:
        return FIT
    return unresolvable("node(s) had untolerated taint(s)", f"{{{taint.key}: {taint.value}}}")
