"""Filters: which nodes a pod may go to.

Each plugin is a function of the pod, one node with its pods, and the snapshot of the whole cluster.

Source: pkg/scheduler/framework/plugins; pkg/scheduler/apis/config/v1/default_plugins.go for the order.
Simplifies: plugins for volumes and for dynamic resource allocation are not among them yet.
"""

from __future__ import annotations

from collections.abc import Callable

from kythera.model.api.core.pod import Pod
from kythera.model.control_plane.scheduler.filters.inter_pod_affinity import filter_inter_pod_affinity
from kythera.model.control_plane.scheduler.filters.node_affinity import filter_node_affinity
from kythera.model.control_plane.scheduler.filters.node_name import filter_node_name
from kythera.model.control_plane.scheduler.filters.node_ports import filter_node_ports
from kythera.model.control_plane.scheduler.filters.node_resources_fit import filter_node_resources_fit
from kythera.model.control_plane.scheduler.filters.node_unschedulable import filter_node_unschedulable
from kythera.model.control_plane.scheduler.filters.pod_topology_spread import filter_pod_topology_spread
from kythera.model.control_plane.scheduler.filters.taint_toleration import filter_taint_toleration
from kythera.model.control_plane.scheduler.filters.verdict import (
    FIT,
    FITS,
    UNRESOLVABLE,
    UNSCHEDULABLE,
    Insufficient,
    Verdict,
)
from kythera.model.control_plane.scheduler.node_info import NodeInfo, Snapshot
from kythera.model.record import replace

Filter = Callable[[Pod, NodeInfo, Snapshot], Verdict]

FILTERS: tuple[tuple[str, Filter], ...] = (
    ("NodeUnschedulable", filter_node_unschedulable),
    ("NodeName", filter_node_name),
    ("TaintToleration", filter_taint_toleration),
    ("NodeAffinity", filter_node_affinity),
    ("NodePorts", filter_node_ports),
    ("NodeResourcesFit", filter_node_resources_fit),
    ("PodTopologySpread", filter_pod_topology_spread),
    ("InterPodAffinity", filter_inter_pod_affinity),
)
"""The filter plugins of the default profile, in the order in which they are asked."""


def run_filters(
    pod: Pod, node_info: NodeInfo, snapshot: Snapshot, plugins: tuple[tuple[str, Filter], ...] = FILTERS
) -> Verdict:
    """The verdict of the first plugin that keeps the pod off the node, or that it fits.

    Source: pkg/scheduler/framework/runtime/framework.go RunFilterPlugins.
    """
    for name, plugin in plugins:
        verdict = plugin(pod, node_info, snapshot)
        if not verdict.fits:
            return replace(verdict, plugin=name)
    return FIT


__all__ = [
    "FILTERS",
    "FIT",
    "FITS",
    "UNRESOLVABLE",
    "UNSCHEDULABLE",
    "Filter",
    "Insufficient",
    "Verdict",
    "run_filters",
]
