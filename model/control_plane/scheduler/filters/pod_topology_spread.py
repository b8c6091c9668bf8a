"""PodTopologySpread: keeps pods off topology domains that would get too far ahead of the emptiest one.

Source: pkg/scheduler/framework/plugins/podtopologyspread/filtering.go.
"""

from __future__ import annotations

from functools import lru_cache

from kythera.model.api.core.pod import Pod
from kythera.model.api.core.scheduling import TopologySpreadConstraint
from kythera.model.api.labels import matches
from kythera.model.api.meta import LabelSelector
from kythera.model.control_plane.scheduler.filters.verdict import FIT, Verdict, unresolvable, unschedulable
from kythera.model.control_plane.scheduler.node_info import NodeInfo, Snapshot
from kythera.model.control_plane.scheduler.topology_spread import (
    counted_pods,
    default_selector,
    has_all_keys,
    included,
    with_label_keys,
)
from kythera.model.record import Map, replace

DO_NOT_SCHEDULE = "DoNotSchedule"

Constraints = tuple[TopologySpreadConstraint, ...]


def filter_pod_topology_spread(
    pod: Pod, node_info: NodeInfo, snapshot: Snapshot, default_constraints: Constraints = ()
) -> Verdict:
    """Whether the pod on the node would skew none of its DoNotSchedule constraints by more than it allows.

    ``default_constraints`` are for pods without constraints, of a profile whose defaulting type is List; the
    type System has only soft ones.
    Source: pkg/scheduler/framework/plugins/podtopologyspread/filtering.go Filter.
    """
    constraints = hard_constraints(pod, snapshot, default_constraints)
    if not constraints:
        return FIT
    labels = node_info.node.metadata.labels
    counts = match_counts(pod, snapshot, constraints)
    for constraint, count in zip(constraints, counts, strict=True):
        domain = labels.get(constraint.topology_key)
        if domain is None:
            return unresolvable(
                "node(s) didn't match pod topology spread constraints (missing required label)",
                constraint.topology_key,
            )
        itself = matches(constraint.label_selector, pod.metadata.labels)
        skew = count.get(domain, 0) + itself - global_minimum(constraint, count)
        if skew > constraint.max_skew:
            return unschedulable(
                "node(s) didn't match pod topology spread constraints",
                f"{constraint.topology_key}={domain} would be {skew} ahead of the emptiest domain",
            )
    return FIT


@lru_cache(maxsize=50_000)
def hard_constraints(pod: Pod, snapshot: Snapshot, default_constraints: Constraints = ()) -> Constraints:
    """The pod's DoNotSchedule constraints, or the default ones with the default selector if it has none.

    What ``matchLabelKeys`` says about the pod's labels is written into the selectors.
    Source: pkg/scheduler/framework/plugins/podtopologyspread/common.go filterTopologySpreadConstraints,
    buildDefaultConstraints; plugin.go getConstraints.
    """
    own = pod.spec.topology_spread_constraints
    if own:
        return tuple(with_label_keys(each, pod) for each in own if each.when_unsatisfiable == DO_NOT_SCHEDULE)
    defaults = tuple(each for each in default_constraints if each.when_unsatisfiable == DO_NOT_SCHEDULE)
    if not defaults:
        return ()
    selector = default_selector(pod, snapshot)
    if selector == LabelSelector():
        return ()
    return tuple(replace(each, label_selector=selector) for each in defaults)


@lru_cache(maxsize=50_000)
def match_counts(pod: Pod, snapshot: Snapshot, constraints: Constraints) -> tuple[Map[int], ...]:
    """For each constraint, how many of its pods each domain has: domains of nodes that count for it.

    A node counts if it has the topology keys of all constraints, and the constraint's policies include it.
    Source: pkg/scheduler/framework/plugins/podtopologyspread/filtering.go calPreFilterState.
    """
    counts: list[dict[str, int]] = [{} for _ in constraints]
    for info in snapshot.nodes:
        if not has_all_keys(info.node, constraints):
            continue
        for constraint, count in zip(constraints, counts, strict=True):
            if included(constraint, pod, info.node):
                domain = info.node.metadata.labels[constraint.topology_key]
                more = counted_pods(info, constraint.label_selector, pod.metadata.namespace)
                count[domain] = count.get(domain, 0) + more
    return tuple(map(Map, counts))


def global_minimum(constraint: TopologySpreadConstraint, counts: Map[int]) -> int:
    """How many pods the emptiest domain has; 0 if there are fewer domains than ``minDomains``.

    Source: pkg/scheduler/framework/plugins/podtopologyspread/filtering.go minMatchNum.
    """
    if len(counts) < (1 if constraint.min_domains is None else constraint.min_domains):
        return 0
    return min(counts.values(), default=0)
