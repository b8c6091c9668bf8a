"""What the filter and the score of PodTopologySpread share: which pods and nodes count for a constraint.

Source: pkg/scheduler/framework/plugins/podtopologyspread/common.go.
"""

from __future__ import annotations

from collections.abc import Iterable

from kythera.model.api.core.node import Node
from kythera.model.api.core.pod import Pod
from kythera.model.api.core.scheduling import TopologySpreadConstraint
from kythera.model.api.labels import matches, matches_map
from kythera.model.api.meta import LabelSelector, LabelSelectorRequirement
from kythera.model.api.node_affinity import required_node_affinity_matches
from kythera.model.api.pods import controller_of
from kythera.model.api.taints import KEEPS_OFF, find_untolerated
from kythera.model.control_plane.scheduler.node_info import NodeInfo, Snapshot
from kythera.model.record import Map, replace

HONOR = "Honor"


def default_selector(pod: Pod, snapshot: Snapshot) -> LabelSelector:
    """The selectors of the Services that select the pod and of the ReplicaSet that controls it, all in one.

    Source: pkg/scheduler/framework/plugins/helper/spread.go DefaultSelector, GetPodServices.
    Simplifies: ReplicationControllers and StatefulSets are not modelled.
    """
    namespace, labels = pod.metadata.namespace, pod.metadata.labels
    wanted: dict[str, str] = {}
    for service in snapshot.services:
        selector = service.spec.selector
        if service.metadata.namespace == namespace and selector and matches_map(selector, labels):
            wanted.update(selector)
    owner = controller_of(pod)
    if owner is None or owner.kind != "ReplicaSet" or owner.api_version != "apps/v1":
        return LabelSelector(Map(wanted))
    for replica_set in snapshot.replica_sets:
        meta = replica_set.metadata
        named = meta.namespace == namespace and meta.name == owner.name
        # The scheduler goes by the name; here objects without one are told apart by their uids.
        if named and (None in (owner.uid, meta.uid) or owner.uid == meta.uid):
            theirs = replica_set.spec.selector or LabelSelector()
            return LabelSelector(Map({**theirs.match_labels, **wanted}), theirs.match_expressions)
    return LabelSelector(Map(wanted))


def counted_pods(info: NodeInfo, selector: LabelSelector | None, namespace: str) -> int:
    """How many pods on a node a selector selects, but for terminating ones; an empty selector selects none.

    Source: pkg/scheduler/framework/plugins/podtopologyspread/common.go countPodsMatchSelector.
    """
    if selector == LabelSelector():
        return 0
    return sum(
        pod.metadata.deletion_timestamp is None
        and pod.metadata.namespace == namespace
        and matches(selector, pod.metadata.labels)
        for pod in info.pods
    )


def included(constraint: TopologySpreadConstraint, pod: Pod, node: Node) -> bool:
    """Whether a node counts for a constraint, by its node affinity policy and its node taints policy.

    Source: pkg/scheduler/framework/plugins/podtopologyspread/common.go matchNodeInclusionPolicies.
    """
    if (constraint.node_affinity_policy or HONOR) == HONOR and not required_node_affinity_matches(pod, node):
        return False
    return constraint.node_taints_policy != HONOR or (
        find_untolerated(node.spec.taints, pod.spec.tolerations, KEEPS_OFF) is None
    )


def has_all_keys(node: Node, constraints: Iterable[TopologySpreadConstraint]) -> bool:
    """Whether a node lies in a domain of every constraint.

    Source: pkg/scheduler/framework/plugins/podtopologyspread/common.go nodeLabelsMatchSpreadConstraints.
    """
    return all(constraint.topology_key in node.metadata.labels for constraint in constraints)


def with_label_keys(constraint: TopologySpreadConstraint, pod: Pod) -> TopologySpreadConstraint:
    """The constraint with its ``matchLabelKeys`` made part of the selector, by the labels of the incoming pod.

    Source: pkg/scheduler/framework/plugins/podtopologyspread/common.go filterTopologySpreadConstraints.
    """
    selector, labels = constraint.label_selector, pod.metadata.labels
    more = tuple(
        LabelSelectorRequirement(key, "In", (labels[key],)) for key in constraint.match_label_keys if key in labels
    )
    if selector is None or not more:
        return constraint
    expressions = (*selector.match_expressions, *more)
    return replace(constraint, label_selector=replace(selector, match_expressions=expressions))
