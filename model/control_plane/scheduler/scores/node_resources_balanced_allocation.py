"""NodeResourcesBalancedAllocation: prefers nodes whose resources the pod would bring into balance.

Source: pkg/scheduler/framework/plugins/noderesources/balanced_allocation.go.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from kythera.model.api.core.pod import Pod
from kythera.model.control_plane.scheduler.node_info import NodeInfo, Snapshot
from kythera.model.control_plane.scheduler.scores.node_resources import (
    DEFAULT_RESOURCES,
    ResourceSpec,
    allocation,
    requested,
)
from kythera.model.control_plane.scheduler.scores.normalise import MAX_NODE_SCORE


def score_node_resources_balanced_allocation(
    pod: Pod,
    nodes: tuple[NodeInfo, ...],
    snapshot: Snapshot,
    resources: tuple[ResourceSpec, ...] = DEFAULT_RESOURCES,
) -> dict[str, int]:
    """50 to 100 per node, 75 if the pod changes nothing; 0 for a pod that asks for none of the resources.

    Since 1.36 the *change* of the balance counts, before only the balance with the pod did (``balance``).
    Source: pkg/scheduler/framework/plugins/noderesources/balanced_allocation.go PreScore, Score,
    balancedResourceScorer; https://github.com/kubernetes/kubernetes/pull/135573.
    """
    if not any(requested(pod, resource.name, non_zero=False) for resource in resources):
        return dict.fromkeys((info.node.metadata.name for info in nodes), 0)
    scores = {}
    for info in nodes:
        there, without = balances(pod, info, resources)
        scores[info.node.metadata.name] = balance_change_score(there, without)
    return scores


def balances(pod: Pod, info: NodeInfo, resources: tuple[ResourceSpec, ...] = DEFAULT_RESOURCES) -> tuple[int, int]:
    """The balance of a node with the pod, and without it."""
    amounts = [allocation(pod, info, resource.name, non_zero=False) for resource in resources]
    return (
        balance((asked, allocatable) for allocatable, asked, _ in amounts),
        balance((others, allocatable) for allocatable, _, others in amounts),
    )


def balance_change_score(with_pod: int, without_pod: int) -> int:
    """The score for two balances.

    Source: pkg/scheduler/framework/plugins/noderesources/balanced_allocation.go balancedResourceScorer.
    """
    half = MAX_NODE_SCORE // 2
    return half + (half + with_pod - without_pod) // 2


def balance(amounts: Iterable[tuple[int, int]]) -> int:
    """0 to 100 for pairs of requested and allocatable: 100 less the standard deviation of their quotients.

    Resources that a node doesn't have are left out; a fraction is at most 1.
    Source: pkg/scheduler/framework/plugins/noderesources/balanced_allocation.go balancedResourceScore.
    """
    fractions = [min(asked / allocatable, 1.0) for asked, allocatable in amounts if allocatable != 0]
    deviation = 0.0
    if len(fractions) == 2:
        deviation = abs((fractions[0] - fractions[1]) / 2)
    elif len(fractions) > 2:
        mean = sum(fractions) / len(fractions)
        deviation = math.sqrt(sum((f - mean) * (f - mean) for f in fractions) / len(fractions))
    return int((1 - deviation) * MAX_NODE_SCORE)
