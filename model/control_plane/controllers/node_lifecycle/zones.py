"""How fast nodes may be tainted when many are in trouble, zone by zone.

A zone with too many nodes in trouble slows evictions down, since then the network or the control plane is the more
likely culprit; a cluster without any healthy node stops them.

Source: pkg/controller/nodelifecycle/node_lifecycle_controller.go ComputeZoneState, handleDisruption;
https://kubernetes.io/docs/concepts/architecture/nodes/#rate-limits-on-eviction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

from kythera.model.api.core.node import Node
from kythera.model.control_plane.controllers.node_lifecycle.health import TRUE, ready_status
from kythera.model.record import Record, record

NORMAL = "Normal"
PARTIAL_DISRUPTION = "PartialDisruption"
FULL_DISRUPTION = "FullDisruption"

EXCLUDED = "node.kubernetes.io/exclude-disruption"

FEWEST_FOR_PARTIAL = 3
"""So many nodes of a zone have to be in trouble before the zone counts as partially disrupted."""

ZONE_LABELS = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
REGION_LABELS = ("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region")


ZONE_THRESHOLD, ALL_DOWN_STOPGAP, NAIVE = "zone_threshold", "all_down_stopgap", "naive"


@record
class Rates(Record):
    """Nodes per second that may be tainted in a zone, and when the slower rate holds.

    ``policy``: what many nodes in trouble change.  ``zone_threshold``, as in Kubernetes 1.37: evictions slow down zone
    by zone, and stop if no node at all is ready.  ``all_down_stopgap``, as in 1.3: only the latter.  ``naive``, as in
    1.2: nothing.
    Source: pkg/controller/nodelifecycle/config/types.go; the flags of kube-controller-manager for the defaults;
    https://github.com/kubernetes/kubernetes/issues/24200 and 28832 for the older policies.
    """

    usual: Fraction = Fraction(1, 10)
    reduced: Fraction = Fraction(1, 100)
    unhealthy_zone_threshold: Fraction = Fraction(55, 100)
    large_cluster_size: int = 50
    policy: str = ZONE_THRESHOLD


def zone_of(node: Node) -> str:
    """The region and zone of a node, empty if it has neither.

    Source: staging/src/k8s.io/component-helpers/node/topology/helpers.go GetZoneKey.
    """
    labels = node.metadata.labels
    zone = next((labels[key] for key in ZONE_LABELS if labels.get(key)), "")
    region = next((labels[key] for key in REGION_LABELS if labels.get(key)), "")
    return f"{region}:{zone}" if region or zone else ""


def zone_state(ready: int, not_ready: int, threshold: Fraction) -> str:
    """Normal, PartialDisruption or FullDisruption, from how many nodes of a zone are ready and how many not.

    Source: pkg/controller/nodelifecycle/node_lifecycle_controller.go ComputeZoneState.
    """
    if ready == 0 and not_ready > 0:
        return FULL_DISRUPTION
    if not_ready >= FEWEST_FOR_PARTIAL and Fraction(not_ready, not_ready + ready) >= threshold:
        return PARTIAL_DISRUPTION
    return NORMAL


def zone_sizes(nodes: Iterable[Node]) -> Mapping[str, tuple[int, int]]:
    """For each zone, how many nodes are ready and how many not; nodes with the label to be excluded don't count."""
    found: dict[str, tuple[int, int]] = {}
    for node in nodes:
        if EXCLUDED not in node.metadata.labels:
            ready, not_ready = found.get(zone_of(node), (0, 0))
            is_ready = ready_status(node) == TRUE
            found[zone_of(node)] = (ready + is_ready, not_ready + (not is_ready))
    return found


def all_disrupted(nodes: Iterable[Node], rates: Rates) -> bool:
    """Whether every zone is fully disrupted: then nothing is evicted, and taints that were added are taken back.

    Source: pkg/controller/nodelifecycle/node_lifecycle_controller.go handleDisruption.
    """
    if rates.policy == NAIVE:
        return False
    sizes = zone_sizes(nodes).values()
    return bool(sizes) and all(zone_state(*size, rates.unhealthy_zone_threshold) == FULL_DISRUPTION for size in sizes)


def seconds_between(zone: str, nodes: Iterable[Node], rates: Rates) -> int | None:
    """Seconds between two nodes of a zone that are tainted, ``None`` if none may be tainted at all.

    A zone that is fully disrupted while others are not is emptied at the usual rate.
    Source: pkg/controller/nodelifecycle/node_lifecycle_controller.go setLimiterInZone, ReducedQPSFunc.
    """
    if rates.policy != ZONE_THRESHOLD:
        return interval(rates.usual)
    ready, not_ready = zone_sizes(nodes).get(zone, (0, 0))
    rate = rates.usual
    if zone_state(ready, not_ready, rates.unhealthy_zone_threshold) == PARTIAL_DISRUPTION:
        rate = rates.reduced if ready + not_ready > rates.large_cluster_size else Fraction(0)
    return interval(rate)


def interval(rate: Fraction) -> int | None:
    """Seconds between two events of a rate per second, rounded up; ``None`` if the rate is 0."""
    return -(-rate.denominator // rate.numerator) if rate > 0 else None
