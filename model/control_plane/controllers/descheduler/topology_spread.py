"""RemovePodsViolatingTopologySpreadConstraint: evens out the domains of hard topology spread constraints.

The scheduler keeps such a constraint only when it places a pod; what leaves, and new nodes, skew it later.

Source: sigs.k8s.io/descheduler
pkg/framework/plugins/removepodsviolatingtopologyspreadconstraint/topologyspreadconstraint.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import ceil

from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod
from kythera.model.api.core.scheduling import Toleration, TopologySpreadConstraint
from kythera.model.api.labels import matches
from kythera.model.api.meta import LabelSelector, LabelSelectorRequirement
from kythera.model.api.node_affinity import required_node_affinity_matches
from kythera.model.api.taints import find_untolerated
from kythera.model.control_plane.controllers.descheduler.situation import Situation, fits_elsewhere, is_evictable
from kythera.model.record import Record, record, replace

DO_NOT_SCHEDULE = "DoNotSchedule"
HONOR, IGNORE = "Honor", "Ignore"


@record
class Constraint(Record):
    """A constraint with what counts for it; equal ones of several pods are one.

    ``like`` is a pod that stands for the node affinity of those that have it (without anything else).
    """

    max_skew: int = 0
    topology_key: str = ""
    selector: LabelSelector | None = None
    like: Pod | None = None
    tolerations: tuple[Toleration, ...] | None = None


def remove_pods_violating_topology_spread_constraint(now: Situation) -> tuple[Pod, ...]:
    """The pods that have to go so that each hard constraint holds again, if the scheduler spreads them evenly.

    Source: sigs.k8s.io/descheduler
    pkg/framework/plugins/removepodsviolatingtopologyspreadconstraint/topologyspreadconstraint.go Balance.
    """
    chosen: dict[Pod, None] = {}
    evictable = [pod for pod in now.pods if is_evictable(pod)]
    for namespace in sorted({pod.metadata.namespace for pod in evictable}):
        pods = [pod for pod in evictable if pod.metadata.namespace == namespace]
        constraints = dict.fromkeys(
            constraint_of(pod, each)
            for pod in pods
            for each in pod.spec.topology_spread_constraints
            if each.when_unsatisfiable == DO_NOT_SCHEDULE
        )
        for constraint in constraints:
            chosen.update(dict.fromkeys(to_balance(constraint, pods, now)))
    return tuple(pod for pod in chosen if now.may_go(pod))


def constraint_of(pod: Pod, constraint: TopologySpreadConstraint) -> Constraint:
    """A pod's constraint, with what ``matchLabelKeys`` and the inclusion policies say about the pod written into it.

    Source: sigs.k8s.io/descheduler
    pkg/framework/plugins/removepodsviolatingtopologyspreadconstraint/topologyspreadconstraint.go
    newTopologySpreadConstraint.
    """
    selector, labels = constraint.label_selector, pod.metadata.labels
    more = tuple(
        LabelSelectorRequirement(key, "In", (labels[key],)) for key in constraint.match_label_keys if key in labels
    )
    if selector is not None and more:
        selector = replace(selector, match_expressions=(*selector.match_expressions, *more))
    spec = pod.spec
    by_affinity = (constraint.node_affinity_policy or HONOR) == HONOR
    by_taints = (constraint.node_taints_policy or IGNORE) == HONOR
    like = Pod(spec=replace(Pod().spec, node_selector=spec.node_selector, affinity=spec.affinity))
    return Constraint(
        constraint.max_skew,
        constraint.topology_key,
        selector,
        like if by_affinity else None,
        spec.tolerations if by_taints else None,
    )


def counts(constraint: Constraint, node: Node) -> bool:
    """Whether a node counts for a constraint, by its inclusion policies."""
    if constraint.like is not None and not required_node_affinity_matches(constraint.like, node):
        return False
    return constraint.tolerations is None or find_untolerated(node.spec.taints, constraint.tolerations) is None


def to_balance(constraint: Constraint, pods: Iterable[Pod], now: Situation) -> list[Pod]:
    """The pods to move from domains above the average to such below it, so that the skew is allowed again.

    Source: sigs.k8s.io/descheduler
    pkg/framework/plugins/removepodsviolatingtopologyspreadconstraint/topologyspreadconstraint.go balanceDomains.
    """
    key = constraint.topology_key
    nodes = [node for node in now.nodes if key in node.metadata.labels and counts(constraint, node)]
    found: dict[str, list[Pod]] = {node.metadata.labels[key]: [] for node in nodes}
    for pod in pods:
        node = now.node_of(pod)
        if node is not None and key in node.metadata.labels and matches(constraint.selector, pod.metadata.labels):
            found.setdefault(node.metadata.labels[key], []).append(pod)
    sizes = [len(each) for each in found.values()]
    if not sizes or max(sizes) - min(sizes) <= constraint.max_skew:
        return []
    average = Fraction(sum(sizes), len(sizes))
    domains = sorted(found.items(), key=lambda each: len(each[1]))
    below = [
        node for name, each in domains if len(each) < average for node in nodes if node.metadata.labels[key] == name
    ]
    stacks = [sorted(each, key=keeping_order) for _, each in domains]
    chosen = []
    low, high = 0, len(stacks) - 1
    while low < high:
        if len(stacks[high]) <= average:
            high -= 1
        skew = len(stacks[high]) - len(stacks[low])
        move = min(
            ceil(len(stacks[high]) - average),
            ceil(average - len(stacks[low])),
            ceil(Fraction(skew - constraint.max_skew, 2)),
        )
        if skew <= constraint.max_skew or move <= 0:
            low += 1
            continue
        stacks[high].sort(key=lambda pod: fits_elsewhere(pod, below, now))
        moved = stacks[high][-move:]
        chosen += [pod for pod in moved if fits_elsewhere(pod, below, now)]
        stacks[high] = stacks[high][:-move]
        stacks[low] = [*stacks[low], *moved]
    return chosen


def keeping_order(pod: Pod) -> tuple[bool, bool, int]:
    """What the pods of a domain are sorted by; those at the end go first.

    Those with a node selector or node affinity stay longest.  Among others the highest priority goes first: upstream's
    comments want it the other way round, its comparison does not.
    Source: sigs.k8s.io/descheduler
    pkg/framework/plugins/removepodsviolatingtopologyspreadconstraint/topologyspreadconstraint.go sortDomains.
    """
    affinity = pod.spec.affinity
    tied = bool(pod.spec.node_selector) or (affinity is not None and affinity.node_affinity is not None)
    return not tied, pod.spec.priority is not None, pod.spec.priority or 0
