"""NodeName: a pod that names its node goes there or nowhere.

Source: pkg/scheduler/framework/plugins/nodename/node_name.go.
"""

from __future__ import annotations

from kythera.model.api.core.pod import Pod
from kythera.model.control_plane.scheduler.filters.verdict import FIT, Verdict, unresolvable
from kythera.model.control_plane.scheduler.node_info import NodeInfo, Snapshot


def filter_node_name(pod: Pod, node_info: NodeInfo, snapshot: Snapshot) -> Verdict:
    """Whether the node is the one that the pod names, if it names one.

    Source: pkg/scheduler/framework/plugins/nodename/node_name.go Fits.
    """
    if not pod.spec.node_name or pod.spec.node_name == node_info.node.metadata.name:
        return FIT
    return unresolvable("node(s) didn't match the requested node name")
