"""PodTopologySpread: prefers topology domains that hold few of the pods that a constraint selects.

Source: pkg/scheduler/framework/plugins/podtopologyspread/scoring.go.
"""

from __future__ import annotations

import math

from kythera.model.api.core.pod import Pod
from kythera.model.api.core.scheduling import TopologySpreadConstraint
from kythera.model.api.meta import LabelSelector
from kythera.model.control_plane.scheduler.node_info import NodeInfo, Snapshot
from kythera.model.control_plane.scheduler.scores.normalise import MAX_NODE_SCORE
from kythera.model.control_plane.scheduler.topology_spread import (
    counted_pods,
    default_selector,
    has_all_keys,
    included,
    with_label_keys,
)
from kythera.model.record import replace

HOSTNAME = "kubernetes.io/hostname"
ZONE = "topology.kubernetes.io/zone"
SCHEDULE_ANYWAY = "ScheduleAnyway"

SYSTEM_DEFAULTS = (
    TopologySpreadConstraint(max_skew=3, topology_key=HOSTNAME, when_unsatisfiable=SCHEDULE_ANYWAY),
    TopologySpreadConstraint(max_skew=5, topology_key=ZONE, when_unsatisfiable=SCHEDULE_ANYWAY),
)
"""What a pod without constraints gets, with the selector of its Services and its owner.

Source: pkg/scheduler/framework/plugins/podtopologyspread/plugin.go systemDefaultConstraints.
"""


def score_pod_topology_spread(
    pod: Pod,
    nodes: tuple[NodeInfo, ...],
    snapshot: Snapshot,
    default_constraints: tuple[TopologySpreadConstraint, ...] | None = None,
) -> dict[str, int]:
    """0 to 100 per node, 0 for all if no constraint is soft.

    ``default_constraints``: those of a profile whose defaulting type is List; ``None`` is the type System, in
    which a node that lacks the zone label is still spread over by its hostname.
    Source: pkg/scheduler/framework/plugins/podtopologyspread/scoring.go PreScore, Score, NormalizeScore.
    """
    names = [info.node.metadata.name for info in nodes]
    own = pod.spec.topology_spread_constraints
    constraints = soft_constraints(pod, snapshot, default_constraints)
    if not constraints:
        return dict.fromkeys(names, 0)
    require_all = bool(own) or default_constraints is not None
    scored = [info for info in nodes if not require_all or has_all_keys(info.node, constraints)]
    counting = [info for info in snapshot.nodes if not require_all or has_all_keys(info.node, constraints)]
    ignored = set(names) - {info.node.metadata.name for info in scored}
    parts = [_points(pod, constraint, scored, counting) for constraint in constraints]
    points = {name: math.floor(sum(part[name] for part in parts) + 0.5) for name in names if name not in ignored}
    least, most = min(points.values(), default=0), max(points.values(), default=0)
    if most == 0:
        return {name: 0 if name in ignored else MAX_NODE_SCORE for name in names}
    return {name: 0 if name in ignored else MAX_NODE_SCORE * (most + least - points[name]) // most for name in names}


def soft_constraints(
    pod: Pod, snapshot: Snapshot, default_constraints: tuple[TopologySpreadConstraint, ...] | None = None
) -> tuple[TopologySpreadConstraint, ...]:
    """The pod's ScheduleAnyway constraints; if it has no constraints, the default ones and selector.

    ``match_label_keys`` are written into the selector.
    Source: pkg/scheduler/framework/plugins/podtopologyspread/common.go filterTopologySpreadConstraints,
    buildDefaultConstraints.
    """
    own = pod.spec.topology_spread_constraints
    if own:
        return tuple(with_label_keys(c, pod) for c in own if c.when_unsatisfiable == SCHEDULE_ANYWAY)
    defaults = SYSTEM_DEFAULTS if default_constraints is None else default_constraints
    selector = default_selector(pod, snapshot)
    if selector == LabelSelector():
        return ()
    return tuple(replace(c, label_selector=selector) for c in defaults if c.when_unsatisfiable == SCHEDULE_ANYWAY)


def domain_points(count: int, max_skew: int, weight: float) -> float:
    """What one constraint adds to a node's points.

    Source: pkg/scheduler/framework/plugins/podtopologyspread/scoring.go scoreForCount.
    """
    return count * weight + (max_skew - 1)


def domain_weight(domains: int) -> float:
    """How much a pod counts: more where there are more domains, so that few big ones are not drowned.

    Source: pkg/scheduler/framework/plugins/podtopologyspread/scoring.go topologyNormalizingWeight.
    """
    return math.log(domains + 2)


def _points(
    pod: Pod, constraint: TopologySpreadConstraint, scored: list[NodeInfo], counting: list[NodeInfo]
) -> dict[str, float]:
    """What one constraint adds to each scored node's points; nothing where the node lacks the key."""
    key, selector, namespace = constraint.topology_key, constraint.label_selector, pod.metadata.namespace
    counts: dict[str, int] = {}
    if key == HOSTNAME:
        weight = domain_weight(len(scored))
    else:
        counts = dict.fromkeys((info.node.metadata.labels.get(key, "") for info in scored), 0)
        weight = domain_weight(len(counts))
        for info in counting:
            domain = info.node.metadata.labels.get(key, "")
            if domain in counts and included(constraint, pod, info.node):
                counts[domain] += counted_pods(info, selector, namespace)
    points: dict[str, float] = {}
    for info in scored:
        labels = info.node.metadata.labels
        if key not in labels:
            points[info.node.metadata.name] = 0.0
            continue
        count = counted_pods(info, selector, namespace) if key == HOSTNAME else counts[labels[key]]
        points[info.node.metadata.name] = domain_points(count, constraint.max_skew, weight)
    return points
