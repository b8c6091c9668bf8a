"""NodeResourcesFit: prefers nodes with the most room left, or the least, or as a function of use says.

Source: pkg/scheduler/framework/plugins/noderesources/fit.go.
"""

from __future__ import annotations

import math

from kythera.model.api.core.pod import Pod
from kythera.model.control_plane.scheduler.node_info import NodeInfo, Snapshot
from kythera.model.control_plane.scheduler.scores.node_resources import (
    DEFAULT_RESOURCES,
    ResourceSpec,
    allocation,
)
from kythera.model.control_plane.scheduler.scores.normalise import MAX_NODE_SCORE
from kythera.model.record import Record, record

LEAST_ALLOCATED = "LeastAllocated"
MOST_ALLOCATED = "MostAllocated"
REQUESTED_TO_CAPACITY_RATIO = "RequestedToCapacityRatio"

MAX_SHAPE_SCORE = 10
"""The best score in a shape of the configuration API."""


@record
class UtilizationShapePoint(Record):
    """At a utilization of so many per cent, a score from 0 to 10; straight lines in between."""

    utilization: int = 0
    score: int = 0


@record
class ScoringStrategy(Record):
    """How the plugin scores; ``shape`` is for RequestedToCapacityRatio alone.

    Source: staging/src/k8s.io/kube-scheduler/config/v1/types_pluginargs.go ScoringStrategy.
    """

    type: str = LEAST_ALLOCATED
    resources: tuple[ResourceSpec, ...] = DEFAULT_RESOURCES
    shape: tuple[UtilizationShapePoint, ...] = ()


DEFAULT_STRATEGY = ScoringStrategy()


def score_node_resources_fit(
    pod: Pod, nodes: tuple[NodeInfo, ...], snapshot: Snapshot, strategy: ScoringStrategy = DEFAULT_STRATEGY
) -> dict[str, int]:
    """0 to 100 per node: the mean over the resources that the node has, weighted.

    Source: pkg/scheduler/framework/plugins/noderesources/fit.go Score.
    """
    return {info.node.metadata.name: strategy_score(pod, info, strategy) for info in nodes}


def strategy_score(pod: Pod, info: NodeInfo, strategy: ScoringStrategy) -> int:
    """The score of one node under a strategy; ``ValueError`` for a strategy that doesn't exist.

    RequestedToCapacityRatio leaves resources that score 0 out of the mean, and rounds it; the others round
    down.
    Source: pkg/scheduler/framework/plugins/noderesources/least_allocated.go, most_allocated.go,
    requested_to_capacity_ratio.go.
    """
    total = weights = 0
    for resource in strategy.resources:
        allocatable, asked, _ = allocation(pod, info, resource.name, non_zero=True)
        if allocatable == 0:
            continue
        if strategy.type == LEAST_ALLOCATED:
            score = least_requested(asked, allocatable)
        elif strategy.type == MOST_ALLOCATED:
            score = most_requested(asked, allocatable)
        elif strategy.type == REQUESTED_TO_CAPACITY_RATIO:
            score = shape_score(strategy.shape, asked, allocatable)
            if score == 0:
                continue
        else:
            raise ValueError(f"scoring strategy {strategy.type} is not supported")
        total += score * resource.weight
        weights += resource.weight
    if weights == 0:
        return 0
    if strategy.type == REQUESTED_TO_CAPACITY_RATIO:
        return math.floor(total / weights + 0.5)
    return total // weights


def least_requested(asked: int, allocatable: int) -> int:
    """The part of ``allocatable`` that is left, in per cent; 0 if more is asked for than there is.

    Source: pkg/scheduler/framework/plugins/noderesources/least_allocated.go leastRequestedScore.
    """
    return 0 if asked > allocatable else (allocatable - asked) * MAX_NODE_SCORE // allocatable


def most_requested(asked: int, allocatable: int) -> int:
    """The part of ``allocatable`` that is asked for, in per cent, at most 100.

    Source: pkg/scheduler/framework/plugins/noderesources/most_allocated.go mostRequestedScore.
    """
    return min(asked, allocatable) * MAX_NODE_SCORE // allocatable


def shape_score(shape: tuple[UtilizationShapePoint, ...], asked: int, allocatable: int) -> int:
    """What a shape says about a utilization, scaled from 0..10 to 0..100; rounded towards the line's start.

    Source: pkg/scheduler/framework/plugins/noderesources/requested_to_capacity_ratio.go;
    pkg/scheduler/framework/plugins/helper/shape_score.go BuildBrokenLinearFunction.
    """
    scale = MAX_NODE_SCORE // MAX_SHAPE_SCORE
    utilization = min(asked * 100 // allocatable, 100)
    previous: UtilizationShapePoint | None = None
    for point in shape:
        if utilization <= point.utilization:
            if previous is None:
                return point.score * scale
            rise = (point.score - previous.score) * scale * (utilization - previous.utilization)
            run = point.utilization - previous.utilization
            return previous.score * scale + (rise // run if rise >= 0 else -(-rise // run))
        previous = point
    return previous.score * scale if previous is not None else 0
