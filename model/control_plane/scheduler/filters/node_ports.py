"""NodePorts: keeps pods off nodes on which another pod has taken one of their host ports.

Source: pkg/scheduler/framework/plugins/nodeports/node_ports.go.
"""

from __future__ import annotations

from kythera.model.api.core.pod import Pod
from kythera.model.control_plane.scheduler.filters.verdict import FIT, Verdict, unschedulable
from kythera.model.control_plane.scheduler.node_info import NodeInfo, Snapshot, host_ports


def filter_node_ports(pod: Pod, node_info: NodeInfo, snapshot: Snapshot) -> Verdict:
    """Whether all host ports of the pod are free on the node.

    Source: pkg/scheduler/framework/plugins/nodeports/node_ports.go Fits.
    """
    for port in host_ports(pod):
        if any(port.conflicts(used) for used in node_info.used_ports):
            return unschedulable(
                "node(s) didn't have free ports for the requested pod ports", f"{port.protocol} {port.port}"
            )
    return FIT
