"""LowNodeUtilization: moves pods from nodes that are used too much to nodes that are used too little.

What counts is what pods request, not what they use.

Source: sigs.k8s.io/descheduler pkg/framework/plugins/nodeutilization/lownodeutilization.go, nodeutilization.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod
from kythera.model.api.taints import is_tolerated
from kythera.model.control_plane.controllers.descheduler.situation import (
    CPU,
    MEMORY,
    PODS,
    Situation,
    capacity,
    eviction_order,
    is_evictable,
    usage,
)
from kythera.model.record import Map

Thresholds = Map[float]
"""Per cent of what a node has, by resource."""

LOW = Map({CPU: 20.0, MEMORY: 20.0, PODS: 20.0})
HIGH = Map({CPU: 50.0, MEMORY: 50.0, PODS: 50.0})
"""The thresholds of upstream's examples; upstream has no default and wants them to be given."""


def low_node_utilization(now: Situation, low: Thresholds = LOW, high: Thresholds = HIGH) -> tuple[Pod, ...]:
    """Pods of the nodes that are above ``high`` in any resource, as long as those below ``low`` in all can take them.

    The fullest node is looked at first, and on each node the pods that are easiest to give up.
    Source: sigs.k8s.io/descheduler pkg/framework/plugins/nodeutilization/lownodeutilization.go Balance;
    nodeutilization.go evictPodsFromSourceNodes.
    """
    shares = {node.metadata.name: percentages(now.on(node), node) for node in now.nodes}
    under = [n for n in now.nodes if not n.spec.unschedulable and not exceeds(shares[n.metadata.name], low)]
    is_under = {node.metadata.name for node in under}
    over = [n for n in now.nodes if n.metadata.name not in is_under and exceeds(shares[n.metadata.name], high)]
    if not under or not over or len(under) == len(now.nodes):
        return ()
    resources = tuple(dict.fromkeys((*low, CPU, MEMORY, PODS)))
    room = dict.fromkeys(resources, 0)
    for node in under:
        used, target = usage(now.on(node)), capped(node, high, resources)
        for name in resources:
            room[name] += target[name] - used.get(name, 0)
    chosen: list[Pod] = []
    for node in sorted(over, key=lambda each: -sum(usage(now.on(each)).values())):
        chosen += _from_node(node, now, under, room, capped(node, high, resources))
    return tuple(chosen)


def _from_node(
    node: Node, now: Situation, destinations: Iterable[Node], room: dict[str, int], target: Mapping[str, int]
) -> list[Pod]:
    """The pods that one node gives up; ``room``, what the destinations can take, shrinks by them."""
    there = now.on(node)
    used = {name: usage(there).get(name, 0) for name in room}

    def goes_on() -> bool:
        return any(used[name] > target[name] for name in used) and all(left > 0 for left in room.values())

    chosen: list[Pod] = []
    for pod in sorted(filter(is_evictable, there), key=eviction_order):
        if not goes_on():
            break
        if not any(_tolerates(pod, each) for each in destinations) or not now.may_go(pod):
            continue
        chosen.append(pod)
        asked = usage((pod,))
        for name in room:
            room[name] -= asked.get(name, 0)
            used[name] -= asked.get(name, 0)
    return chosen


def _tolerates(pod: Pod, node: Node) -> bool:
    """Whether a pod tolerates all taints of a node, whatever their effect.

    Source: sigs.k8s.io/descheduler pkg/utils/pod.go PodToleratesTaints.
    """
    enough = len(pod.spec.tolerations) >= len(node.spec.taints)
    return enough and all(is_tolerated(taint, pod.spec.tolerations) for taint in node.spec.taints)


def percentages(pods: tuple[Pod, ...], node: Node) -> Mapping[str, float]:
    """How much of a node its pods request, in per cent of what it has.

    Source: sigs.k8s.io/descheduler pkg/framework/plugins/nodeutilization/nodeutilization.go
    ResourceUsageToResourceThreshold.
    """
    total = capacity(node)
    return {
        name: used / total[name] * 100 if total[name] > 0 else 0.0
        for name, used in usage(pods).items()
        if name in total
    }


def exceeds(shares: Mapping[str, float], thresholds: Thresholds) -> bool:
    """Whether the share of any resource is above its threshold."""
    return any(shares.get(name, 0.0) > threshold for name, threshold in thresholds.items())


def capped(node: Node, thresholds: Thresholds, resources: Iterable[str]) -> Mapping[str, int]:
    """What a node has of each resource up to its threshold; all of it where there is none.

    Source: sigs.k8s.io/descheduler pkg/framework/plugins/nodeutilization/nodeutilization.go
    capNodeCapacitiesToThreshold.
    """
    total = capacity(node)
    return {
        name: int(thresholds[name] * 0.01 * total.get(name, 0)) if name in thresholds else total.get(name, 0)
        for name in resources
    }
